__version__ = "3.1"


def main():
    import yaml

    with open("config/limits.yaml") as handle:
        print(yaml.safe_load(handle))
