"""What grows in a package is summed, with the line of the project that calls it."""

from harness import Project

_READER = """
    import json

    def load(number):
        return [{"name": str(one), "value": [one]} for one in range(number)], read(number)

    def read(number):
        return json.loads("[" + ",".join(["[1]"] * number) + "]")
"""


def test_the_sum_comes_first_and_the_package_is_in_the_chain(project: Project) -> None:
    env = {"PYTHONPATH": f"{project.root}:{project.root.parent / 'library'}"}
    project.write("../library/reader/__init__.py", _READER)
    project.write("shop.py", "import reader\n\ndef report(number):\n    return len(reader.load(number)[0])\n")
    project.write("test_it.py", "from shop import report\n\ndef test_report():\n    assert report(100)\n")
    project.prepare(env=env)
    project.replace("test_it.py", "report(100)", "report(9000)")
    result = project.gate("-v", env=env)
    assert result.code == 1
    lines = [line.strip() for line in result.out.partition("what grew:")[2].splitlines()]
    growth = result.found("test_report", "memory.peak")["growth_by_site"]
    ours = {one["site"]["path"]: one["site"] for one in growth if one["site"] and "library" in one["site"]}
    assert {"reader/__init__.py", "json/decoder.py"} <= ours.keys()
    assert {site["library"] for site in ours.values()} == {"reader"}
    sums = [index for index, line in enumerate(lines) if "  in reader, called from shop.py:4 in report" in line]
    sites = [index for index, line in enumerate(lines) if "in raw_decode  (" in line]
    assert sums[0] < sites[0]
    assert lines[sites[0] + 1].endswith("called from reader/__init__.py:7 in read")
    assert lines[sites[0] + 2].endswith("called from shop.py:4 in report")
