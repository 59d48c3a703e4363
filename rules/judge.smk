# The judge, which is first checked on labelled data and then judges responses and references.
#
# Needs: the labelled sets that the task names, or the one that ships for the kind; responses; references, if the kind needs a
#        judge.
# Makes: results/{task}/judge.json; results/{task}/{arm}/judgements.jsonl and reference_judgements.jsonl, and the same files for
#        the probe, for variants of the target, for transfers and for the references of seeds
# Steps: check_judge; judge_responses, judge_seeds, judge_tests, judge_transfer, judge_references, judge_seed_references


rule check_judge:
    input:
        files=labelled_files,
        openings=labelled_openings,
        folder=asked_folder("judge"),
        world=world_tables,
    output:
        judge_json=report(
            "results/{task}/judge.json",
            caption="captions/judge.rst",
            category="{task}",
            labels={"result": "judge check", "form": "JSON"},
        ),
    log:
        "results/{task}/logs/check_judge.log",
    benchmark:
        "results/{task}/benchmarks/check_judge.tsv"
    conda:
        "../envs/generate.yaml"
    threads: amount("threads", "judge")
    resources:
        mem_mb=amount("mem_mb", "judge"),
        runtime=amount("runtime", "judge"),
        gpu=amount("gpu", "judge"),
        gres=amount("gres", "judge"),
    params:
        gpus=job_gpus("judge"),
        stage=stage("generate", "check_judge"),
        kind=kind_use,
        sources=labelled_sources,
        judge=judge_setting,
        model=model_use("judge"),
        endpoint_limits=endpoint_limits("judge"),
        limits=setting("judge_check"),
        checker_timeout=setting("checker_timeout"),
        code=code("check_judge"),
    shell:
        "{params.stage} --files {input.files:q} --openings {input.openings:q} --folder {input.folder:q} --judge-json {output.judge_json:q}"
        " --kind {params.kind:q} --sources {params.sources:q} --judge {params.judge:q} --model {params.model:q}"
        " --limits {params.limits:q} --checker-timeout {params.checker_timeout} --endpoint-limits {params.endpoint_limits:q}"
        " --threads {threads} --gpus {params.gpus} --log {log:q}"


rule judge_responses:
    input:
        instructions="results/{task}/{arm}/instructions.jsonl",
        seeds=[],
        tests=[],
        responses="results/{task}/{arm}/responses.jsonl",
        references=[],
        folder=asked_folder("judge"),
        checked=ancient("results/{task}/judge.json"),
        world=world_tables,
    output:
        judgements="results/{task}/{arm}/judgements{shard}.jsonl",
    log:
        "results/{task}/logs/{arm}/judge_responses{shard}.log",
    benchmark:
        "results/{task}/benchmarks/{arm}/judge_responses{shard}.tsv"
    conda:
        "../envs/generate.yaml"
    threads: amount("threads", "judge")
    resources:
        mem_mb=amount("mem_mb", "judge"),
        runtime=amount("runtime", "judge"),
        gpu=amount("gpu", "judge"),
        gres=amount("gres", "judge"),
    params:
        gpus=job_gpus("judge"),
        stage=stage("generate", "judge_responses"),
        kind=kind_use,
        judge=whole_setting("judge"),
        decides=judge_setting,
        model=model_use("judge"),
        endpoint_limits=endpoint_limits("judge"),
        shard=shard_of,
        code=code("judge_responses"),
    shell:
        "{params.stage} --instructions {input.instructions:q} --seeds {input.seeds:q} --tests {input.tests:q}"
        " --responses {input.responses:q} --references {input.references:q} --folder {input.folder:q}"
        " --judgements {output.judgements:q} --kind {params.kind:q} --judge {params.judge:q} --model {params.model:q}"
        " --endpoint-limits {params.endpoint_limits:q} --shard {params.shard} --threads {threads} --gpus {params.gpus} --log {log:q}"


use rule judge_responses as judge_seeds with:
    input:
        instructions=[],
        seeds=part_file("probe/drawn_seeds.jsonl"),
        tests=[],
        responses=part_file("probe/responses.jsonl"),
        references=[],
        folder=asked_folder("judge"),
        checked=ancient(part_file("judge.json")),
        world=world_tables,
    output:
        judgements="results/{task}/probe/judgements{shard}.jsonl",
    log:
        "results/{task}/logs/probe/judge_seeds{shard}.log",
    benchmark:
        "results/{task}/benchmarks/probe/judge_seeds{shard}.tsv"


use rule judge_responses as judge_references with:
    input:
        instructions=part_file("{arm}/instructions.jsonl"),
        seeds=[],
        tests=[],
        responses=[],
        references=part_file("{arm}/references.jsonl"),
        folder=asked_folder("judge"),
        checked=ancient(part_file("judge.json")),
        world=world_tables,
    output:
        judgements="results/{task}/{arm}/reference_judgements{shard}.jsonl",
    log:
        "results/{task}/logs/{arm}/judge_references{shard}.log",
    benchmark:
        "results/{task}/benchmarks/{arm}/judge_references{shard}.tsv"


use rule judge_responses as judge_seed_references with:
    input:
        instructions=[],
        seeds="results/{task}/enhanced/drawn_seeds.jsonl",
        tests=[],
        responses=[],
        references="results/{task}/enhanced/seed_references.jsonl",
        folder=asked_folder("judge"),
        checked=ancient(part_file("judge.json")),
        world=world_tables,
    output:
        judgements="results/{task}/enhanced/seed_judgements{shard}.jsonl",
    log:
        "results/{task}/logs/enhanced/judge_seed_references{shard}.log",
    benchmark:
        "results/{task}/benchmarks/enhanced/judge_seed_references{shard}.tsv"


use rule judge_responses as judge_tests with:
    input:
        instructions=[],
        seeds=[],
        tests=test_questions,
        responses="results/{task}/{variant}/responses.jsonl",
        references=[],
        folder=asked_folder("judge"),
        checked=ancient(part_file("judge.json")),
        world=world_tables,
    output:
        judgements="results/{task}/{variant}/judgements{shard}.jsonl",
    log:
        "results/{task}/logs/{variant}/judge_tests{shard}.log",
    benchmark:
        "results/{task}/benchmarks/{variant}/judge_tests{shard}.tsv"


use rule judge_responses as judge_transfer with:
    input:
        instructions="results/{task}/transfer/instructions.jsonl",
        seeds=[],
        tests=[],
        responses="results/{task}/transfer/{model}/responses.jsonl",
        references=[],
        folder=asked_folder("judge"),
        checked=ancient(part_file("judge.json")),
        world=world_tables,
    output:
        judgements="results/{task}/transfer/{model}/judgements{shard}.jsonl",
    log:
        "results/{task}/logs/transfer/{model}/judge_transfer{shard}.log",
    benchmark:
        "results/{task}/benchmarks/transfer/{model}/judge_transfer{shard}.tsv"
