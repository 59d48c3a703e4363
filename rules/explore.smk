# The loop: proposer k writes instructions, the target answers them, the answers are labelled, and DPO on pairs of instructions
# makes proposer k + 1.
#
# Needs: results/{task}/seeds.jsonl, results/{task}/warmup.jsonl, the models of proposer, target and teacher.
# Makes: results/{task}/{arm}/ with proposer/, prompts, samples, instructions, responses, references, labels and pairs;
#        {arm} is iter{k}, control (proposer 0 on the training prompts of iterations 1 to N) or untrained (the base model on the
#        held-out prompts); results/{task}/contamination/iter{k}.json
# Steps: train_warmup; build_prompts, build_control, build_untrained; sample_instructions, embed_instructions, embed_seeds,
#        embed_tests, collect_instructions, answer_instructions, write_references, label_responses; build_pairs, check_pairs,
#        train_proposer, prune_proposer


rule train_warmup:
    input:
        warmup=part_file("warmup.jsonl"),
        contamination=ancient("results/{task}/contamination/warmup.json"),
        base=asked_folder("proposer"),
    output:
        proposer=directory("results/{task}/iter0/proposer"),
    log:
        "results/{task}/logs/iter0/train_warmup.log",
    benchmark:
        "results/{task}/benchmarks/iter0/train_warmup.tsv"
    conda:
        "../envs/train.yaml"
    threads: amount("threads", "proposer", "warmup")
    resources:
        mem_mb=amount("mem_mb", "proposer", "warmup"),
        runtime=amount("runtime", "proposer"),
        gpu=amount("gpu", "proposer", "warmup"),
        gres=amount("gres", "proposer", "warmup"),
    params:
        gpus=job_gpus("proposer", "warmup"),
        stage=training_stage("train_warmup", "warmup"),
        model=trained_model("proposer"),
        settings=setting("warmup"),
        random_seed=setting("random_seed"),
        tracking=tracking,
        code=code("train_warmup"),
    shell:
        "{params.stage} --warmup {input.warmup:q} --base {input.base:q} --proposer {output.proposer:q}"
        " --model {params.model:q} --settings {params.settings:q} --random-seed {params.random_seed}"
        " --tracking {params.tracking:q} --threads {threads} --gpus {params.gpus} --log {log:q}"


rule build_prompts:
    input:
        seeds=part_file("seeds.jsonl"),
        probe=branch(probed, then=part_file("probe/labels.jsonl")),
        world=world_tables,
    output:
        prompts="results/{task}/iter{iteration}/prompts.jsonl",
    log:
        "results/{task}/logs/iter{iteration}/build_prompts.log",
    benchmark:
        "results/{task}/benchmarks/iter{iteration}/build_prompts.tsv"
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
        settings=setting("prompts"),
        random_seed=setting("random_seed"),
        code=code("build_prompts"),
    script:
        "../scripts/build_prompts.py"


rule build_control:
    input:
        trained=of_trained("prompts.jsonl"),
    output:
        prompts="results/{task}/control/prompts.jsonl",
    log:
        "results/{task}/logs/control/build_control.log",
    benchmark:
        "results/{task}/benchmarks/control/build_control.tsv"
    group:
        "{task}.prompts"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("build_control"),
    script:
        "../scripts/build_control.py"


rule build_untrained:
    input:
        trained=part_file("iter0/prompts.jsonl"),
    output:
        prompts="results/{task}/untrained/prompts.jsonl",
    log:
        "results/{task}/logs/untrained/build_untrained.log",
    benchmark:
        "results/{task}/benchmarks/untrained/build_untrained.tsv"
    group:
        "{task}.prompts"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("build_untrained"),
    script:
        "../scripts/build_untrained.py"


rule sample_instructions:
    input:
        prompts="results/{task}/{arm}/prompts.jsonl",
        proposer=asked_folder("proposer", arm_proposer),
    output:
        samples="results/{task}/{arm}/samples{shard}.jsonl",
    log:
        "results/{task}/logs/{arm}/sample_instructions{shard}.log",
    benchmark:
        "results/{task}/benchmarks/{arm}/sample_instructions{shard}.tsv"
    conda:
        "../envs/generate.yaml"
    threads: amount("threads", "proposer")
    resources:
        mem_mb=amount("mem_mb", "proposer"),
        runtime=amount("runtime", "proposer"),
        gpu=amount("gpu", "proposer"),
        gres=amount("gres", "proposer"),
    params:
        gpus=job_gpus("proposer"),
        stage=stage("generate", "sample_instructions"),
        model=model_use("proposer"),
        settings=setting("sampling"),
        random_seed=setting("random_seed"),
        shard=shard_of,
        code=code("sample_instructions"),
    shell:
        "{params.stage} --prompts {input.prompts:q} --proposer {input.proposer:q} --samples {output.samples:q}"
        " --model {params.model:q} --settings {params.settings:q} --arm {wildcards.arm}"
        " --random-seed {params.random_seed} --shard {params.shard} --threads {threads} --gpus {params.gpus} --log {log:q}"


rule embed_instructions:
    input:
        samples=part_file("{arm}/samples.jsonl"),
        seeds=[],
        tests=[],
        folder=asked_folder("embedding"),
        world=world_tables,
    output:
        embeddings="results/{task}/{arm}/embeddings.npy",
    log:
        "results/{task}/logs/{arm}/embed_instructions.log",
    benchmark:
        "results/{task}/benchmarks/{arm}/embed_instructions.tsv"
    conda:
        "../envs/text.yaml"
    threads: amount("threads", "embedding")
    resources:
        mem_mb=amount("mem_mb", "embedding"),
        runtime=amount("runtime", "embedding"),
        gpu=amount("gpu", "embedding"),
        gres=amount("gres", "embedding"),
    params:
        gpus=job_gpus("embedding"),
        stage=stage("text", "embed_instructions"),
        kind=kind_use,
        deduplication=setting("deduplication"),
        settings=embedding_settings,
        model=model_use("embedding"),
        cache=embedding_cache,
        code=code("embed_instructions"),
    shell:
        "{params.stage} --samples {input.samples:q} --seeds {input.seeds:q} --tests {input.tests:q}"
        " --folder {input.folder:q} --embeddings {output.embeddings:q} --kind {params.kind:q}"
        " --deduplication {params.deduplication:q} --settings {params.settings:q} --model {params.model:q}"
        " --cache {params.cache:q} --threads {threads} --gpus {params.gpus} --log {log:q}"


use rule embed_instructions as embed_seeds with:
    input:
        samples=[],
        seeds=part_file("seeds.jsonl"),
        tests=[],
        folder=asked_folder("embedding"),
        world=world_tables,
    output:
        embeddings="results/{task}/seeds.embeddings.npy",
    log:
        "results/{task}/logs/embed_seeds.log",
    benchmark:
        "results/{task}/benchmarks/embed_seeds.tsv"


use rule embed_instructions as embed_tests with:
    input:
        samples=[],
        seeds=[],
        tests=part_file("tests/{set}.jsonl"),
        folder=asked_folder("embedding"),
        world=world_tables,
    output:
        embeddings="results/{task}/tests/{set}.embeddings.npy",
    log:
        "results/{task}/logs/embed_tests.{set}.log",
    benchmark:
        "results/{task}/benchmarks/embed_tests.{set}.tsv"


rule collect_instructions:
    input:
        samples="results/{task}/{arm}/samples.jsonl",
        embeddings=embedding_files(part_file("{arm}/embeddings.npy")),
        world=world_tables,
    output:
        instructions="results/{task}/{arm}/instructions.jsonl",
    log:
        "results/{task}/logs/{arm}/collect_instructions.log",
    benchmark:
        "results/{task}/benchmarks/{arm}/collect_instructions.tsv"
    conda:
        "../envs/text.yaml"
    threads: amount("threads", "embedding")
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        kind=kind_use,
        settings=setting("deduplication"),
        embedding=embedding_settings,
        random_seed=setting("random_seed"),
        code=code("collect_instructions"),
    script:
        "../scripts/collect_instructions.py"


rule answer_instructions:
    input:
        questions=rules.collect_instructions.output.instructions,
        target=asked_folder("target"),
        world=world_tables,
    output:
        responses="results/{task}/{arm}/responses{shard}.jsonl",
    log:
        "results/{task}/logs/{arm}/answer_instructions{shard}.log",
    benchmark:
        "results/{task}/benchmarks/{arm}/answer_instructions{shard}.tsv"
    conda:
        "../envs/generate.yaml"
    threads: amount("threads", "target")
    resources:
        mem_mb=amount("mem_mb", "target"),
        runtime=amount("runtime", "target"),
        gpu=amount("gpu", "target"),
        gres=amount("gres", "target"),
    params:
        record="instructions",
        gpus=job_gpus("target"),
        stage=stage("generate", "answer_questions"),
        kind=kind_use,
        model=model_use("target"),
        endpoint_limits=endpoint_limits("target"),
        settings=whole_setting("responses"),
        decides=setting("responses"),
        random_seed=setting("random_seed"),
        arm="{arm}",
        shard=shard_of,
        code=code("answer_questions"),
    shell:
        "{params.stage} --questions {input.questions:q} --record {params.record} --target {input.target:q} --responses {output.responses:q}"
        " --kind {params.kind:q} --model {params.model:q} --settings {params.settings:q} --arm {params.arm}"
        " --random-seed {params.random_seed} --endpoint-limits {params.endpoint_limits:q} --shard {params.shard}"
        " --threads {threads} --gpus {params.gpus} --log {log:q}"


rule write_references:
    input:
        questions=rules.collect_instructions.output.instructions,
        folder=asked_folder("teacher"),
        world=world_tables,
    output:
        references="results/{task}/{arm}/references{shard}.jsonl",
    log:
        "results/{task}/logs/{arm}/write_references{shard}.log",
    benchmark:
        "results/{task}/benchmarks/{arm}/write_references{shard}.tsv"
    conda:
        "../envs/generate.yaml"
    threads: amount("threads", "teacher")
    resources:
        mem_mb=amount("mem_mb", "teacher"),
        runtime=amount("runtime", "teacher"),
        gpu=amount("gpu", "teacher"),
        gres=amount("gres", "teacher"),
    params:
        record="instructions",
        gpus=job_gpus("teacher"),
        stage=stage("generate", "write_references"),
        kind=kind_use,
        teacher=setting("teacher"),
        model=model_use("teacher"),
        endpoint_limits=endpoint_limits("teacher"),
        settings=whole_setting("references"),
        decides=setting("references"),
        checker_timeout=setting("checker_timeout"),
        random_seed=setting("random_seed"),
        arm="{arm}",
        shard=shard_of,
        code=code("write_references"),
    shell:
        "{params.stage} --questions {input.questions:q} --record {params.record} --folder {input.folder:q}"
        " --references {output.references:q} --kind {params.kind:q} --teacher {params.teacher:q} --model {params.model:q}"
        " --settings {params.settings:q} --arm {params.arm} --checker-timeout {params.checker_timeout}"
        " --random-seed {params.random_seed} --endpoint-limits {params.endpoint_limits:q} --shard {params.shard}"
        " --threads {threads} --gpus {params.gpus} --log {log:q}"


rule label_responses:
    input:
        questions=rules.collect_instructions.output.instructions,
        responses="results/{task}/{arm}/responses.jsonl",
        references=branch(referenced, then=part_file("{arm}/references.jsonl")),
        judgements=panel_files("{arm}/judgements/JUDGE.jsonl"),
        checked=ancient("results/{task}/judge.json"),
        world=world_tables,
    output:
        labels="results/{task}/{arm}/labels{shard}.jsonl",
    log:
        "results/{task}/logs/{arm}/label_responses{shard}.log",
    benchmark:
        "results/{task}/benchmarks/{arm}/label_responses{shard}.tsv"
    group:
        with_next("{task}.{arm}")
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        record="instructions",
        kind=kind_use,
        decision=judge_decision,
        checker_timeout=setting("checker_timeout"),
        shard=shard_of,
        code=code("label_answers"),
    script:
        "../scripts/label_answers.py"


rule build_pairs:
    input:
        prompts=up_to_now("prompts.jsonl"),
        samples=up_to_now("samples.jsonl"),
        instructions=up_to_now("instructions.jsonl"),
        labels=up_to_now("labels.jsonl"),
        seeds=part_file("seeds.jsonl"),
        tests=test_questions,
        world=world_tables,
    output:
        pairs="results/{task}/iter{iteration}/pairs.jsonl",
    log:
        "results/{task}/logs/iter{iteration}/build_pairs.log",
    benchmark:
        "results/{task}/benchmarks/iter{iteration}/build_pairs.tsv"
    group:
        "{task}.iter{iteration}"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        kind=kind_use,
        settings=setting("pairs"),
        random_seed=setting("random_seed"),
        code=code("build_pairs"),
    script:
        "../scripts/build_pairs.py"


use rule check_contamination as check_pairs with:
    input:
        rows=[],
        pairs="results/{task}/iter{iteration}/pairs.jsonl",
        tests=test_questions,
        seeds=part_file("seeds.jsonl"),
        embeddings=embedding_files(up_to_now("embeddings.npy"), part_file("seeds.embeddings.npy"), test_embeddings),
        evaluation=ancient(branch(stops_on_collapse, then=part_file("iter{iteration}/eval.json"))),
        gap=ancient(checked_gap("{iteration}")),
        world=world_tables,
    output:
        contamination="results/{task}/contamination/iter{iteration}.json",
    log:
        "results/{task}/logs/contamination/iter{iteration}.log",
    benchmark:
        "results/{task}/benchmarks/contamination/iter{iteration}.tsv"
    group:
        pairs_group


rule train_proposer:
    input:
        pairs=of_previous("pairs.jsonl"),
        contamination=ancient(previous_contamination),
        previous=asked_folder("proposer", of_previous("proposer")),
        reference=reference_proposer,
    output:
        proposer=directory("results/{task}/iter{iteration}/proposer"),
    log:
        "results/{task}/logs/iter{iteration}/train_proposer.log",
    benchmark:
        "results/{task}/benchmarks/iter{iteration}/train_proposer.tsv"
    wildcard_constraints:
        iteration="[1-9][0-9]*",
    conda:
        "../envs/train.yaml"
    threads: amount("threads", "proposer", "preference")
    resources:
        mem_mb=amount("mem_mb", "proposer", "preference"),
        runtime=amount("runtime", "proposer"),
        gpu=amount("gpu", "proposer", "preference"),
        gres=amount("gres", "proposer", "preference"),
    params:
        gpus=job_gpus("proposer", "preference"),
        stage=training_stage("train_proposer", "preference"),
        model=trained_model("proposer"),
        settings=setting("preference"),
        random_seed=setting("random_seed"),
        tracking=tracking,
        code=code("train_proposer"),
    shell:
        "{params.stage} --pairs {input.pairs:q} --previous {input.previous:q} --reference {input.reference:q}"
        " --proposer {output.proposer:q} --model {params.model:q} --settings {params.settings:q}"
        " --random-seed {params.random_seed} --tracking {params.tracking:q}"
        " --threads {threads} --gpus {params.gpus} --log {log:q}"


rule prune_proposer:
    input:
        proposer="results/{task}/iter{iteration}/proposer",
        samples="results/{task}/iter{iteration}/samples.jsonl",
        trained=following_proposer,
    output:
        pruned="results/{task}/iter{iteration}/pruned.json",
    log:
        "results/{task}/logs/iter{iteration}/prune_proposer.log",
    benchmark:
        "results/{task}/benchmarks/iter{iteration}/prune_proposer.tsv"
    wildcard_constraints:
        iteration="[1-9][0-9]*",
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("prune_proposer"),
    script:
        "../scripts/prune_proposer.py"
