from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


report: "rules/captions/workflow.rst"


include: "rules/common.smk"
include: "rules/models.smk"
include: "rules/prepare.smk"
include: "rules/explore.smk"
include: "rules/enhance.smk"
include: "rules/evaluate.smk"
include: "rules/report.smk"
include: "rules/publish.smk"


localrules:
    all,
    fetch_bin,
    fetch_data,
    fetch_file,
    fetch_model,
    pin_revisions,
    prefetch_task,
    prune_proposer,
    push_folder,
    tables,
    write_plan,


rule all:
    default_target: True
    input:
        "results/tiny-math/table.md",
        "results/tiny-math/report.html",


rule tables:
    input:
        expand("results/tables/{table}.{form}", table=TABLES, form=["csv", "md", "tex"]),
        expand("results/figures/{table}.svg", table=TABLES),


quicken_plans()
