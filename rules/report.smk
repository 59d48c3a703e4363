# What people look at: a task's table and its page, from stored files only; its plan, before and after a run.
#
# Needs: every eval.json of the task, for each of the random seeds that config.yaml lists, and of the first of these runs
#        its instructions, labels, responses and trained models; for the plan, nothing.
# Makes: results/{task}/table.md, results/{task}/table.csv, results/{task}/atlas.jsonl, results/{task}/failures.parquet,
#        results/{task}/texts.jsonl, results/{task}/report.html, results/{task}/plan.md
# Steps: write_plan; write_table; write_atlas, write_texts, write_report


rule write_plan:
    output:
        plan="results/{task}/plan.md",
    log:
        "results/{task}/logs/write_plan.log",
    benchmark:
        "results/{task}/benchmarks/write_plan.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        task="{task}",
        configuration=planned_configuration,
        used=benchmarked,
        code=code("write_plan"),
    script:
        "../scripts/write_plan.py"


rule write_table:
    input:
        proposers=replicates(proposer_evals),
        targets=replicates(target_evals),
    output:
        markdown="results/{task}/table.md",
        csv="results/{task}/table.csv",
    log:
        "results/{task}/logs/write_table.log",
    benchmark:
        "results/{task}/benchmarks/write_table.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        task="{task}",
        reused=reused_tasks,
        code=code("write_table"),
    script:
        "../scripts/write_table.py"


rule write_atlas:
    input:
        instructions=of_every("instructions.jsonl"),
        labels=of_every("labels.jsonl"),
        responses=of_every("responses.jsonl"),
        references=of_every_referenced,
        embeddings=embedded(of_every("embeddings.npy")),
    output:
        atlas="results/{task}/atlas.jsonl",
        failures="results/{task}/failures.parquet",
    log:
        "results/{task}/logs/write_atlas.log",
    benchmark:
        "results/{task}/benchmarks/write_atlas.tsv"
    conda:
        "../envs/text.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        kind=kind_use,
        random_seed=setting("random_seed"),
        code=code("write_atlas"),
    script:
        "../scripts/write_atlas.py"


rule write_texts:
    input:
        instructions=rules.write_atlas.input.instructions,
        labels=rules.write_atlas.input.labels,
        responses=rules.write_atlas.input.responses,
        references=rules.write_atlas.input.references,
    output:
        texts="results/{task}/texts.jsonl",
    log:
        "results/{task}/logs/write_texts.log",
    benchmark:
        "results/{task}/benchmarks/write_texts.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        kind=kind_use,
        code=code("write_texts"),
    script:
        "../scripts/write_texts.py"


rule write_report:
    input:
        proposers=rules.write_table.input.proposers,
        targets=rules.write_table.input.targets,
        atlas=first_replicate("atlas.jsonl"),
        failures=first_replicate("failures.parquet"),
        judge=first_replicate("judge.json"),
        models=trained_models,
        texts=clear_texts,
    output:
        page="results/{task}/report.html",
    log:
        "results/{task}/logs/write_report.log",
    benchmark:
        "results/{task}/benchmarks/write_report.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        task="{task}",
        reused=reused_tasks,
        kind=kind_use,
        configuration=planned_configuration,
        code=code("write_report"),
    script:
        "../scripts/write_report.py"
