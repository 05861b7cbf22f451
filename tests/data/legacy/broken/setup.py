from setuptools import find_packages, setup

setup(
    name="wine",
    version="1.0",
    packages=find_packages("src"),
    package_dir={"": "src"},
    package_data={"wine": ["asset/*.txt"]},
)
