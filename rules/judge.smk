# The judges, which are first checked on labelled data and then judge responses and references. The hold-out judge reads only
# what is evaluated: responses to held-out prompts, to tests and of transfers.
#
# Needs: the labelled sets that the task names, or the one that ships for the kind; responses; references, if the kind needs a
#        judge.
# Makes: results/{task}/judge_check/{judge}.jsonl, judge.json; results/{task}/{arm}/judgements/{judge}.jsonl and
#        reference_judgements/{judge}.jsonl, and the same files for the probe, for variants of the target, for transfers and for the
#        references of seeds; results/{task}/iter{k}/judge_gap.json, if a growing gap to the hold-out judge stops the run
# Steps: judge_labelled, check_judge; judge_responses, judge_seeds, judge_tests, judge_transfer, judge_references,
#        judge_seed_references; check_judge_gap


rule judge_labelled:
    input:
        files=labelled_files,
        openings=labelled_openings,
        folder=asked_folder("judge"),
        world=world_tables,
    output:
        judgements="results/{task}/judge_check/{judge}.jsonl",
    log:
        "results/{task}/logs/judge_check/{judge}/judge_labelled.log",
    benchmark:
        "results/{task}/benchmarks/judge_check/{judge}/judge_labelled.tsv"
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
        stage=stage("generate", "judge_labelled"),
        kind=kind_use,
        sources=labelled_sources,
        judge=judge_setting,
        model=model_use("judge"),
        endpoint_limits=endpoint_limits("judge"),
        code=code("judge_labelled"),
    shell:
        "{params.stage} --files {input.files:q} --openings {input.openings:q} --folder {input.folder:q}"
        " --judgements {output.judgements:q} --kind {params.kind:q} --sources {params.sources:q} --judge {params.judge:q}"
        " --model {params.model:q} --endpoint-limits {params.endpoint_limits:q}"
        " --threads {threads} --gpus {params.gpus} --log {log:q}"


rule check_judge:
    input:
        files=labelled_files,
        openings=labelled_openings,
        judgements=panel_files("judge_check/JUDGE.jsonl"),
        holdout=holdout_files("judge_check/JUDGE.jsonl"),
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
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        kind=kind_use,
        sources=labelled_sources,
        decision=judge_decision,
        categories=judge_categories,
        limits=setting("judge_check"),
        checker_timeout=setting("checker_timeout"),
        code=code("check_judge"),
    script:
        "../scripts/check_judge.py"


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
        judgements="results/{task}/{arm}/judgements/{judge}{shard}.jsonl",
    log:
        "results/{task}/logs/{arm}/{judge}/judge_responses{shard}.log",
    benchmark:
        "results/{task}/benchmarks/{arm}/{judge}/judge_responses{shard}.tsv"
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
        judge=whole_judge,
        decides=judge_setting,
        holdout=holds_out,
        model=model_use("judge"),
        endpoint_limits=endpoint_limits("judge"),
        shard=shard_of,
        code=code("judge_responses"),
    shell:
        "{params.stage} --instructions {input.instructions:q} --seeds {input.seeds:q} --tests {input.tests:q}"
        " --responses {input.responses:q} --references {input.references:q} --folder {input.folder:q}"
        " --judgements {output.judgements:q} --kind {params.kind:q} --judge {params.judge:q} --model {params.model:q}"
        " --endpoint-limits {params.endpoint_limits:q} --holdout {params.holdout} --shard {params.shard} --threads {threads} --gpus {params.gpus} --log {log:q}"


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
        judgements="results/{task}/probe/judgements/{judge}{shard}.jsonl",
    log:
        "results/{task}/logs/probe/{judge}/judge_seeds{shard}.log",
    benchmark:
        "results/{task}/benchmarks/probe/{judge}/judge_seeds{shard}.tsv"


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
        judgements="results/{task}/{arm}/reference_judgements/{judge}{shard}.jsonl",
    log:
        "results/{task}/logs/{arm}/{judge}/judge_references{shard}.log",
    benchmark:
        "results/{task}/benchmarks/{arm}/{judge}/judge_references{shard}.tsv"


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
        judgements="results/{task}/enhanced/seed_judgements/{judge}{shard}.jsonl",
    log:
        "results/{task}/logs/enhanced/{judge}/judge_seed_references{shard}.log",
    benchmark:
        "results/{task}/benchmarks/enhanced/{judge}/judge_seed_references{shard}.tsv"


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
        judgements="results/{task}/{variant}/judgements/{judge}{shard}.jsonl",
    log:
        "results/{task}/logs/{variant}/{judge}/judge_tests{shard}.log",
    benchmark:
        "results/{task}/benchmarks/{variant}/{judge}/judge_tests{shard}.tsv"


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
        judgements="results/{task}/transfer/{model}/judgements/{judge}{shard}.jsonl",
    log:
        "results/{task}/logs/transfer/{model}/{judge}/judge_transfer{shard}.log",
    benchmark:
        "results/{task}/benchmarks/transfer/{model}/{judge}/judge_transfer{shard}.tsv"


rule check_judge_gap:
    input:
        evaluation="results/{task}/iter{iteration}/eval.json",
    output:
        judge_gap="results/{task}/iter{iteration}/judge_gap.json",
    log:
        "results/{task}/logs/iter{iteration}/check_judge_gap.log",
    benchmark:
        "results/{task}/benchmarks/iter{iteration}/check_judge_gap.tsv"
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("check_judge_gap"),
    script:
        "../scripts/check_judge_gap.py"
