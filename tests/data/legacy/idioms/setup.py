#!/usr/bin/env python
# -*- coding: utf-8 -*-
import io
import os
import re
import sys

from setuptools import find_packages, setup

if sys.version_info < (3, 6):
    sys.exit("churn needs Python 3.6 or newer")

here = os.path.abspath(os.path.dirname(__file__))
NAME = "churn"
about = {}
with open(os.path.join(here, "src", NAME, "__version__.py")) as f:
    exec(f.read(), about)


def read(*parts):
    with io.open(os.path.join(here, *parts), encoding="utf-8") as handle:
        return handle.read()


def find_author():
    match = re.search(r"^__author__ = ['\"]([^'\"]*)['\"]", read("src", NAME, "__init__.py"), re.M)
    if match:
        return match.group(1)
    raise RuntimeError("no author")


def parse_requirements(filename):
    requirements = []
    for line in open(filename):
        line = line.strip()
        if not line or line.startswith("#") or line.startswith("-"):
            continue
        requirements.append(line.split("#")[0].strip())
    return requirements


extras = {"plots": ["matplotlib>=3.0"], "dev": ["pytest"]}
extras["all"] = [each for group in extras.values() for each in group]

kwargs = dict(
    keywords="churn, telecom",
    classifiers=[
        "Programming Language :: Python :: 3",
        "License :: OSI Approved :: MIT License",
    ],
)

if __name__ == "__main__":
    setup(
        name=NAME,
        version=about["__version__"],
        description="Who will leave",
        long_description=read("README.md"),
        long_description_content_type="text/markdown",
        author=find_author(),
        author_email="ann@example.com",
        url="https://example.com/%s" % NAME,
        project_urls={"Tracker": "https://example.com/{}/issues".format(NAME)},
        license="MIT",
        python_requires=">=3.8",
        packages=find_packages(where="src"),
        package_dir={"": "src"},
        package_data={NAME: ["data/*.json"]},
        include_package_data=True,
        install_requires=parse_requirements("requirements.txt"),
        extras_require=extras,
        entry_points={"console_scripts": ["churn-report=churn.report:main"]},
        scripts=["scripts/train.py", "scripts/score.py", "scripts/deploy.sh"],
        zip_safe=False,
        **kwargs
    )
