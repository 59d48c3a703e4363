# Seeds, test sets and warm-up rows of a task.
#
# Needs: the data sources that config/tasks/{task}.yaml names.
# Makes: results/{task}/seeds.jsonl, results/{task}/tests/{set}.jsonl, results/{task}/warmup.jsonl
# Steps: clean_seeds, build_tests, build_warmup


rule clean_seeds:
    input:
        files=seed_files,
    output:
        seeds="results/{task}/seeds.jsonl",
    log:
        "results/{task}/logs/clean_seeds.log",
    benchmark:
        "results/{task}/benchmarks/clean_seeds.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        kind=setting("kind"),
        sources=seed_sources,
        heldout_share=setting("data.heldout_share"),
        code=code_hash("clean_seeds"),
    script:
        "../scripts/clean_seeds.py"


rule build_tests:
    input:
        files=test_file,
    output:
        questions="results/{task}/tests/{set}.jsonl",
    log:
        "results/{task}/logs/build_tests.{set}.log",
    benchmark:
        "results/{task}/benchmarks/build_tests.{set}.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        kind=setting("kind"),
        name="{set}",
        source=test_source_json,
        code=code_hash("build_tests"),
    script:
        "../scripts/build_tests.py"


rule build_warmup:
    input:
        seeds=rules.clean_seeds.output.seeds,
    output:
        warmup="results/{task}/warmup.jsonl",
    log:
        "results/{task}/logs/build_warmup.log",
    benchmark:
        "results/{task}/benchmarks/build_warmup.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        kind=setting("kind"),
        header=setting("prompts.header"),
        rows=setting("warmup.rows"),
        random_seed=setting("random_seed"),
        code=code_hash("build_warmup"),
    script:
        "../scripts/build_warmup.py"
