from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/models.smk"
include: "rules/prepare.smk"
include: "rules/explore.smk"
include: "rules/enhance.smk"
include: "rules/evaluate.smk"
include: "rules/report.smk"


localrules:
    all,
    fetch_data,
    fetch_file,
    fetch_model,
    pin_revisions,
    prefetch_task,
    prune_proposer,
    write_plan,


rule all:
    default_target: True
    input:
        "results/tiny-math/table.md",
        "results/tiny-math/report.html",
