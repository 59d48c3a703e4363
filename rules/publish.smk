# Publishing: a task's data set and its models in Hugging Face form, and pushing them to a hub. These rules run only if the user asks
# for their files.
#
# Needs: a finished task; to push, `push` in config.yaml and the environment variable that holds a token.
# Makes: results/{task}/dataset/, results/{task}/pushed/{artefact}.json; {artefact} is dataset, iter{k}/proposer or
#        enhanced/{source}/target
# Steps: write_dataset; push_folder


rule write_dataset:
    input:
        instructions=of_every("instructions.jsonl"),
        labels=of_every("labels.jsonl"),
        responses=of_every("responses.jsonl"),
        references=of_every_referenced,
        pairs=of_every_but_the_last("pairs.jsonl"),
        enhancement=enhancement_rows,
        seeds=part_file("seeds.jsonl"),
        judge=part_file("judge.json"),
        evaluations=own_evals,
        world=world_tables,
    output:
        folder=directory("results/{task}/dataset"),
    log:
        "results/{task}/logs/write_dataset.log",
    benchmark:
        "results/{task}/benchmarks/write_dataset.tsv"
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        task="{task}",
        reused=reused_tasks,
        kind=kind_use,
        sources=seed_sources,
        models=described_models,
        configuration=configuration_hash,
        include_text=setting("report.include_text"),
        code=code("write_dataset"),
    script:
        "../scripts/write_dataset.py"


rule push_folder:
    input:
        folder=pushed_folder,
    output:
        record="results/{task}/pushed/{artefact}.json",
    log:
        "results/{task}/logs/pushed/{artefact}.log",
    benchmark:
        "results/{task}/benchmarks/pushed/{artefact}.tsv"
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=240,
    params:
        stage=stage("base", "push_folder"),
        repo=hub_repository,
        repo_type=repository_type,
        private=CONFIGURATION.workflow.push.private,
        token_env=CONFIGURATION.workflow.push.token_env,
        code=code("push_folder"),
    shell:
        "HF_HUB_OFFLINE=0 {params.stage} --folder {input.folder:q} --record {output.record:q} --repo {params.repo}"
        " --repo-type {params.repo_type} --private {params.private} --token-env {params.token_env} --log {log:q}"
