# Shards of a stage, gathered into the file that the stage would write as one job.
#
# Needs: the files STEM.N-of-M.jsonl of a task with several shards: samples, responses, answers, references, judgements or labels.
# Makes: results/{task}/{stem}.jsonl
# Steps: gather_shards


rule gather_shards:
    input:
        parts=shard_files,
    output:
        whole="results/{task}/{stem}.jsonl",
    log:
        "results/{task}/logs/{stem}/gather_shards.log",
    benchmark:
        "results/{task}/benchmarks/{stem}/gather_shards.tsv"
    wildcard_constraints:
        task=shards.sharded_tasks(CONFIGURATION),
        stem=r"[\w./-]+/(samples|responses|answers|labels|(\w+_)?references|(reference_|seed_)?judgements/[\w.-]+)",
    group:
        gathered_with
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("gather_shards"),
    script:
        "../scripts/gather_shards.py"


# For a task with several shards, only this rule writes the whole file.
ruleorder: gather_shards > sample_instructions > answer_instructions > answer_seeds > answer_tests > answer_transfer
ruleorder: gather_shards > sample_answers > sample_tests
ruleorder: gather_shards > write_references > write_seed_references
ruleorder: gather_shards > judge_responses > judge_seeds > judge_tests > judge_transfer > judge_references > judge_seed_references
ruleorder: gather_shards > label_responses > label_seeds > label_tests > label_transfer
