from distutils.core import setup

import prices
from setuptools import find_packages

setup(
    name="prices",
    version=prices.__version__,
    author="Ed Euro",
    packages=find_packages(),
    py_modules=["rates"],
    install_requires="""
        pyyaml>=6
    """,
    entry_points="""
    [console_scripts]
    prices = prices:main
    """,
)
