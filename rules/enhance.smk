# Repair of the target: equally many rows of four sources, one enhanced target for each.
#
# Needs: labels, references and responses of iteration 0, the control and iterations 1 to N; results/{task}/tests/.
# Makes: results/{task}/enhanced/{source}/train.jsonl and target/, results/{task}/leaks.json
# Steps: write_seed_references, select_enhancement, check_leaks, train_target


use rule write_references as write_seed_references with:
    input:
        instructions=[],
        seeds=rules.clean_seeds.output.seeds,
        folder=model_folder("labeller"),
    output:
        references="results/{task}/enhanced/seed_references.jsonl",
    log:
        "results/{task}/logs/enhanced/write_seed_references.log",
    benchmark:
        "results/{task}/benchmarks/enhanced/write_seed_references.tsv"


rule select_enhancement:
    input:
        instructions=of_warmup_and_trained("instructions.jsonl"),
        labels=of_warmup_and_trained("labels.jsonl"),
        references=of_warmup_and_trained("references.jsonl"),
        responses=of_warmup("responses.jsonl"),
        seeds=rules.clean_seeds.output.seeds,
        seed_references=rules.write_seed_references.output.references,
        tests=test_questions,
    output:
        reversegen="results/{task}/enhanced/reversegen/train.jsonl",
        warmup="results/{task}/enhanced/warmup/train.jsonl",
        warmup_failures="results/{task}/enhanced/warmup_failures/train.jsonl",
        seed_rows="results/{task}/enhanced/seeds/train.jsonl",
        selection="results/{task}/enhanced/selection.json",
    log:
        "results/{task}/logs/enhanced/select_enhancement.log",
    benchmark:
        "results/{task}/benchmarks/enhanced/select_enhancement.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        kind=setting("kind"),
        settings=setting("enhancement"),
        system=setting("responses.system"),
        random_seed=setting("random_seed"),
        code=code_hash("select_enhancement"),
    script:
        "../scripts/select_enhancement.py"


rule check_leaks:
    input:
        rows=expand("results/{{task}}/enhanced/{source}/train.jsonl", source=SOURCES),
        tests=test_questions,
    output:
        leaks="results/{task}/leaks.json",
    log:
        "results/{task}/logs/check_leaks.log",
    benchmark:
        "results/{task}/benchmarks/check_leaks.tsv"
    conda:
        "../envs/text.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        kind=setting("kind"),
        code=code_hash("check_leaks"),
    script:
        "../scripts/check_leaks.py"


rule train_target:
    input:
        rows="results/{task}/enhanced/{source}/train.jsonl",
        leaks=rules.check_leaks.output.leaks,
        base=model_folder("target"),
    output:
        target=directory("results/{task}/enhanced/{source}/target"),
    log:
        "results/{task}/logs/enhanced/{source}/train_target.log",
    benchmark:
        "results/{task}/benchmarks/enhanced/{source}/train_target.tsv"
    conda:
        "../envs/train.yaml"
    threads: asks("threads", "target")
    resources:
        mem_mb=asks("mem_mb", "target"),
        runtime=asks("runtime", "target"),
        gpu=asks("gpu", "target"),
    params:
        stage=stage("train", "train_target"),
        model=model_use("target"),
        settings=setting("enhancement"),
        random_seed=setting("random_seed"),
        code=code_hash("train_target"),
    shell:
        "{params.stage} --rows {input.rows:q} --base {input.base:q} --target {output.target:q} --model {params.model:q}"
        " --settings {params.settings:q} --random-seed {params.random_seed} --threads {threads} --log {log:q}"
