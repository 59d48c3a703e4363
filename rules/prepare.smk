# Seeds, test sets, probe and warm-up rows of a task.
#
# Needs: the data sources that the task names; the target, if the task probes.
# Makes: results/{task}/tests/{set}.jsonl, seeds.jsonl, probe/, warmup.jsonl, contamination/warmup.json
# Steps: build_tests, clean_seeds; draw_probe, answer_seeds, label_seeds; build_warmup, check_contamination


rule clean_seeds:
    input:
        files=seed_files,
        tests=test_questions,
        world=world_tables,
    output:
        seeds="results/{task}/seeds.jsonl",
    log:
        "results/{task}/logs/clean_seeds.log",
    benchmark:
        "results/{task}/benchmarks/clean_seeds.tsv"
    group:
        "{task}.seeds"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        # 0.1 GB for MMIQC's rows, and 1.2 GB if all its rows become seeds (`make bench ONLY=host_memory`)
        mem_mb=2000,
        runtime=10,
    params:
        kind=kind_use,
        sources=seed_sources,
        heldout_share=setting("data.heldout_share"),
        code=code("clean_seeds"),
    script:
        "../scripts/clean_seeds.py"


rule build_tests:
    input:
        files=test_file,
        world=world_tables,
    output:
        questions="results/{task}/tests/{set}.jsonl",
    log:
        "results/{task}/logs/build_tests.{set}.log",
    benchmark:
        "results/{task}/benchmarks/build_tests.{set}.tsv"
    group:
        "{task}.seeds"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        kind=kind_use,
        name="{set}",
        source=test_source,
        code=code("build_tests"),
    script:
        "../scripts/build_tests.py"


rule draw_probe:
    input:
        seeds=part_file("seeds.jsonl"),
        probe=[],
    output:
        drawn="results/{task}/probe/drawn_seeds.jsonl",
    log:
        "results/{task}/logs/probe/draw_probe.log",
    benchmark:
        "results/{task}/benchmarks/probe/draw_probe.tsv"
    group:
        "{task}.seeds"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        purpose="probe",
        most=setting("data.probe_seeds"),
        random_seed=setting("random_seed"),
        code=code("draw_probe"),
    script:
        "../scripts/draw_probe.py"


rule answer_seeds:
    input:
        questions=part_file("probe/drawn_seeds.jsonl"),
        target=asked_folder("target"),
        world=world_tables,
    output:
        responses="results/{task}/probe/responses{shard}.jsonl",
    log:
        "results/{task}/logs/probe/answer_seeds{shard}.log",
    benchmark:
        "results/{task}/benchmarks/probe/answer_seeds{shard}.tsv"
    conda:
        "../envs/generate.yaml"
    threads: amount("threads", "target")
    resources:
        mem_mb=amount("mem_mb", "target"),
        runtime=amount("runtime", "target"),
        gpu=amount("gpu", "target"),
        gres=amount("gres", "target"),
    params:
        record="seeds",
        gpus=job_gpus("target"),
        stage=stage("generate", "answer_questions"),
        kind=kind_use,
        model=model_use("target"),
        endpoint_limits=endpoint_limits("target"),
        settings=whole_setting("responses"),
        decides=setting("responses"),
        random_seed=setting("random_seed"),
        shard=shard_of,
        code=code("answer_questions"),
    shell:
        "{params.stage} --questions {input.questions:q} --record {params.record} --target {input.target:q} --responses {output.responses:q}"
        " --kind {params.kind:q} --model {params.model:q} --settings {params.settings:q} --arm probe"
        " --random-seed {params.random_seed} --endpoint-limits {params.endpoint_limits:q} --shard {params.shard}"
        " --threads {threads} --gpus {params.gpus} --log {log:q}"


rule label_seeds:
    input:
        questions=part_file("probe/drawn_seeds.jsonl"),
        responses=part_file("probe/responses.jsonl"),
        references=[],
        judgements=panel_files("probe/judgements/JUDGE.jsonl"),
        world=world_tables,
    output:
        labels="results/{task}/probe/labels{shard}.jsonl",
    log:
        "results/{task}/logs/probe/label_seeds{shard}.log",
    benchmark:
        "results/{task}/benchmarks/probe/label_seeds{shard}.tsv"
    group:
        with_next("{task}.prompts")
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        record="seeds",
        kind=kind_use,
        decision=judge_decision,
        checker_timeout=setting("checker_timeout"),
        shard=shard_of,
        code=code("label_answers"),
    script:
        "../scripts/label_answers.py"


rule build_warmup:
    input:
        seeds=part_file("seeds.jsonl"),
        probe=branch(probed, then=part_file("probe/labels.jsonl")),
        world=world_tables,
    output:
        warmup="results/{task}/warmup.jsonl",
    log:
        "results/{task}/logs/build_warmup.log",
    benchmark:
        "results/{task}/benchmarks/build_warmup.tsv"
    group:
        "{task}.prompts"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        kind=kind_use,
        header=setting("prompts.header"),
        rows=setting("warmup.rows"),
        random_seed=setting("random_seed"),
        code=code("build_warmup"),
    script:
        "../scripts/build_warmup.py"


rule check_contamination:
    input:
        rows=part_file("warmup.jsonl"),
        pairs=[],
        tests=test_questions,
        seeds=part_file("seeds.jsonl"),
        embeddings=embedding_files(part_file("seeds.embeddings.npy"), test_embeddings),
        evaluation=[],
        world=world_tables,
    output:
        contamination="results/{task}/contamination/warmup.json",
    log:
        "results/{task}/logs/contamination/warmup.log",
    benchmark:
        "results/{task}/benchmarks/contamination/warmup.tsv"
    group:
        "{task}.prompts"
    conda:
        "../envs/text.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        kind=kind_use,
        settings=setting("deduplication"),
        limits=setting("contamination"),
        embedding=embedding_settings,
        code=code("check_contamination"),
    script:
        "../scripts/check_contamination.py"
