# Reports: a task's table, failure clusters and page, from stored files only; its plan, before and after a run; its rows and
# prompts as tokens, before a run; tables and figures of several tasks, from existing results.
#
# Needs: every eval.json of the task, with the samples, labels and tests from which it is computed, and the contamination
#        reports, for each random seed in config.yaml; the instructions, responses, audits, judgements and trained models of
#        the first of these runs. The plan and the tables of several tasks need nothing; they name the tasks without results.
#        The tokens need seeds.jsonl and the models' folders.
# Makes: results/{task}/plan.md, rendered.md, table.md, table.csv, failure_clusters.jsonl, failures.parquet, texts.jsonl,
#        report.html, outcomes.json and resource_usage.md; results/tables/{table}.csv, .md and .tex,
#        results/figures/{table}.svg, of the tables that config.yaml lists
# Steps: write_plan, write_rendered; write_table; write_failure_clusters, write_texts, write_report; collect_outcomes,
#        compare_tasks; write_resource_usage


rule write_plan:
    output:
        plan=report(
            "results/{task}/plan.md",
            caption="captions/plan.rst",
            category="{task}",
            labels={"result": "plan", "form": "Markdown"},
        ),
    log:
        "results/{task}/logs/write_plan.log",
    benchmark:
        "results/{task}/benchmarks/write_plan.tsv"
    localrule: True
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


rule write_rendered:
    input:
        seeds=part_file("seeds.jsonl"),
        world=world_tables,
        proposer=role_folder("proposer"),
        target=role_folder("target"),
        teacher=role_folder("teacher"),
        judge=judge_folders,
    output:
        rendered="results/{task}/rendered.md",
    log:
        "results/{task}/logs/write_rendered.log",
    benchmark:
        "results/{task}/benchmarks/write_rendered.tsv"
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        stage=stage("train", "write_rendered"),
        configuration=planned_configuration,
        code=code("write_rendered"),
    shell:
        "{params.stage} --seeds {input.seeds:q} --proposer {input.proposer:q} --target {input.target:q}"
        " --teacher {input.teacher:q} --judge {input.judge:q} --rendered {output.rendered:q} --task {wildcards.task}"
        " --configuration {params.configuration:q} --log {log:q}"


rule write_table:
    input:
        proposers=replicates(evaluate.proposer_evals),
        targets=replicates(evaluate.target_evals),
        tests=replicates(reports.test_files),
        gates=replicates(reports.gate_files),
        gaps=replicates(reports.gap_files),
        beside=replicates(evaluate.outcome_files),
        world=world_tables,
    output:
        markdown=report(
            "results/{task}/table.md",
            caption="captions/table.rst",
            category="{task}",
            labels={"result": "table", "form": "Markdown"},
        ),
        csv=report(
            "results/{task}/table.csv",
            caption="captions/table.rst",
            category="{task}",
            labels={"result": "table", "form": "CSV"},
        ),
    log:
        "results/{task}/logs/write_table.log",
    benchmark:
        "results/{task}/benchmarks/write_table.tsv"
    group:
        "{task}.tables"
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
        code=code("write_table"),
    script:
        "../scripts/write_table.py"


rule write_failure_clusters:
    input:
        instructions=of_every("instructions.jsonl"),
        labels=of_every("labels.jsonl"),
        responses=of_every("responses.jsonl"),
        references=of_every_referenced,
        embeddings=embedding_files(of_every("embeddings.npy")),
        world=world_tables,
    output:
        failure_clusters="results/{task}/failure_clusters.jsonl",
        failures="results/{task}/failures.parquet",
    log:
        "results/{task}/logs/write_failure_clusters.log",
    benchmark:
        "results/{task}/benchmarks/write_failure_clusters.tsv"
    conda:
        "../envs/text.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        kind=kind_use,
        random_seed=setting("random_seed"),
        code=code("write_failure_clusters"),
    script:
        "../scripts/write_failure_clusters.py"


rule write_texts:
    input:
        instructions=rules.write_failure_clusters.input.instructions,
        labels=rules.write_failure_clusters.input.labels,
        responses=rules.write_failure_clusters.input.responses,
        references=rules.write_failure_clusters.input.references,
        world=world_tables,
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
        tests=rules.write_table.input.tests,
        beside=rules.write_table.input.beside,
        failure_clusters=first_replicate("failure_clusters.jsonl"),
        failures=first_replicate("failures.parquet"),
        judge=first_replicate("judge.json"),
        audits=audit_files,
        judgements=audited_judgements,
        models=trained_models,
        texts=clear_texts,
        world=world_tables,
    output:
        page=report(
            "results/{task}/report.html",
            caption="captions/page.rst",
            category="{task}",
            labels={"result": "page", "form": "HTML"},
        ),
    log:
        "results/{task}/logs/write_report.log",
    benchmark:
        "results/{task}/benchmarks/write_report.tsv"
    group:
        "{task}.tables"
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


rule collect_outcomes:
    input:
        world=world_tables,
    output:
        outcomes="results/{task}/outcomes.json",
    log:
        "results/{task}/logs/collect_outcomes.log",
    benchmark:
        "results/{task}/benchmarks/collect_outcomes.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        evaluations=existing_evals,
        tests=tests_there,
        extends=extended_task,
        kind=kind_use,
        proposer=setting("proposer"),
        target=setting("target"),
        state=existing_evals_hash,
        code=code("collect_outcomes"),
    script:
        "../scripts/collect_outcomes.py"


rule compare_tasks:
    input:
        outcomes=own_outcomes,
        stored=ancient(shipped_outcomes),
        reported=reported_file,
    output:
        csv=report(
            "results/tables/{table}.csv",
            caption="captions/comparison.rst",
            category="Comparisons",
            labels={"table": "{table}", "form": "CSV"},
        ),
        markdown=report(
            "results/tables/{table}.md",
            caption="captions/comparison.rst",
            category="Comparisons",
            labels={"table": "{table}", "form": "Markdown"},
        ),
        tex=report(
            "results/tables/{table}.tex",
            caption="captions/comparison.rst",
            category="Comparisons",
            labels={"table": "{table}", "form": "LaTeX"},
        ),
        svg=report(
            "results/figures/{table}.svg",
            caption="captions/comparison.rst",
            category="Comparisons",
            labels={"table": "{table}", "form": "figure"},
        ),
    log:
        "results/tables/logs/{table}.log",
    benchmark:
        "results/tables/benchmarks/{table}.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        missing=without_results,
        faulty=faulty_tasks,
        state=shipped_outcomes_hash,
        code=code("compare_tasks"),
    script:
        "../scripts/compare_tasks.py"


rule write_resource_usage:
    output:
        markdown="results/{task}/resource_usage.md",
    log:
        "results/{task}/logs/write_resource_usage.log",
    benchmark:
        "results/{task}/benchmarks/write_resource_usage.tsv"
    group:
        "{task}.tables"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        benchmarks="results/{task}/benchmarks",
        benchmarked=benchmarked,
        code=code("write_resource_usage"),
    script:
        "../scripts/write_resource_usage.py"
