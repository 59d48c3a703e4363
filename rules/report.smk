# What people look at: a task's table and its page, from stored evaluations only; its plan, before and after a run.
#
# Needs: every eval.json of the task, for each of the random seeds that config.yaml lists; for the plan, nothing.
# Makes: results/{task}/plan.md; table.md, table.csv, report.html, efficiency.md
# Steps: write_plan; write_table, write_report, write_efficiency


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
    group:
        "{task}.tables"
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


rule write_report:
    input:
        proposers=rules.write_table.input.proposers,
        targets=rules.write_table.input.targets,
    output:
        page="results/{task}/report.html",
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
        mem_mb=1000,
        runtime=10,
    params:
        task="{task}",
        reused=reused_tasks,
        code=code("write_report"),
    script:
        "../scripts/write_report.py"


rule write_efficiency:
    input:
        table=rules.write_table.output.markdown,
    output:
        markdown="results/{task}/efficiency.md",
    log:
        "results/{task}/logs/write_efficiency.log",
    benchmark:
        "results/{task}/benchmarks/write_efficiency.tsv"
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
        code=code("write_efficiency"),
    script:
        "../scripts/write_efficiency.py"
