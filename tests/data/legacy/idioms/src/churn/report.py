from churn.features import PLANS


def main():
    print(sorted(PLANS))
