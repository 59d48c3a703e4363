"""Sums and shares of the table agree with a count by hand over benchmark files as Snakemake writes them."""

from pathlib import Path

import pytest
from tests.support.markdown_tables import rows_of, too_wide

from reversegen.core.errors import BadInput
from reversegen.operations.resource_usage import read_jobs, usage_table

PLAIN = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time"
EXTENDED = f"{PLAIN}\tjobid\trule_name\twildcards\tparams\tthreads\tcpu_usage\tresources\tinput_size_mb"


def extended(seconds: float, memory: str, cpu: str, rule: str, threads: int, resources: dict[str, object]) -> str:
    values = [seconds, "0:00:00", memory, 0, 0, 0, 0, 0, 0, cpu, 7, rule, {}, {"header": "a 'b'\nc"}, threads, 0]
    return "\t".join(map(str, [*values, resources, {}]))


def write(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def cells(table: str, rule: str) -> list[str]:
    return list(rows_of(table)[rule,].values())[1:]


def test_a_line_for_each_rule_and_one_for_all(tmp_path: Path) -> None:
    asked = {"mem_mb": 1000, "runtime": 30, "gpu": 2, "slurm_extra": "--signal=USR1@300"}
    by_type = {"mem_mb": 4000, "runtime": 60, "gpu": 0, "gres": "gpu:a100:1"}
    write(tmp_path / "iter0/train.tsv", EXTENDED, extended(900, "500.5", "3600", "train", 8, asked))
    write(tmp_path / "iter1/train.tsv", EXTENDED, extended(450, "750.0", "900", "train", 8, asked))
    write(tmp_path / "sample.2-of-4.tsv", EXTENDED, extended(1800, "NA", "NA", "sample", 1, by_type))
    write(tmp_path / "build.tsv", PLAIN, "0.5\t0:00:00\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA")
    table = usage_table(read_jobs(tmp_path))
    assert cells(table, "train") == ["2", "0.38", "15.0", "50%", "750", "75%", "42%", "0.75"]
    assert cells(table, "sample") == ["1", "0.50", "30.0", "50%", "", "", "", "0.50"]
    assert cells(table, "build") == ["1", "0.00", "0.0", "", "", "", "", ""]
    assert cells(table, "all") == ["4", "0.88", "30.0", "50%", "750", "75%", "42%", "1.25"]
    assert [rule for (rule,) in rows_of(table)] == ["sample", "train", "build", "all"]
    assert too_wide(table) == []
    (tmp_path / "iter0/train.tsv").unlink()
    (tmp_path / "iter1/train.tsv").unlink()
    (tmp_path / "sample.2-of-4.tsv").unlink()
    alone = rows_of(usage_table(read_jobs(tmp_path)))["build",]
    assert list(alone) == ["rule", "jobs", "hours", "longest, min"], "columns of which nothing is known are left out"


def test_what_a_job_measured_itself_counts_in_place_of_what_snakemake_sampled(tmp_path: Path) -> None:
    sampled, asked = tmp_path / "benchmarks", {"mem_mb": 1000, "runtime": 30}
    for part in ("iter0", "iter1", "iter2"):
        write(sampled / part / "train.2-of-4.tsv", EXTENDED, extended(100, "10.0", "1", "train", 1, asked))
    write(tmp_path / "logs/iter0/train.2-of-4.log", "used 80.0 s of processor time and at most 600.0 MB: finished")
    write(tmp_path / "logs/iter1/train.2-of-4.log", "used 40.0 s of processor time and at most 700.0 MB: failed")
    by_part = {str(job.cpu_seconds): job.peak_mb for job in read_jobs(sampled)}
    assert by_part == {"80.0": 600.0, "1.0": 10.0}
    assert cells(usage_table(read_jobs(sampled)), "train")[4:7] == ["600", "60%", "27%"]


def test_the_hours_of_a_resumed_job_have_the_part_that_it_resumed_from(tmp_path: Path) -> None:
    asked = {"mem_mb": 1000, "runtime": 30, "gpu": 2}
    write(tmp_path / "benchmarks/iter0/train.tsv", EXTENDED, extended(900, "10.0", "900", "train", 1, asked))
    write(tmp_path / "logs/iter0/train.log", "12:00:00 the part that was finished before took 2700.0 s", "1 more line")
    # one hour in all, of which the last start took 15 of its 30 minutes
    assert cells(usage_table(read_jobs(tmp_path / "benchmarks")), "train") == [
        *("1", "1.00", "15.0", "50%", "10", "1%", "100%", "2.00"),
    ]


def test_a_file_that_is_no_benchmark_is_named(tmp_path: Path) -> None:
    write(tmp_path / "x.tsv", "a\tb", "1\t2")
    with pytest.raises(BadInput, match=r"x\.tsv: not a benchmark of Snakemake"):
        read_jobs(tmp_path)


def test_a_folder_without_benchmarks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no job has ended yet"):
        read_jobs(tmp_path)
