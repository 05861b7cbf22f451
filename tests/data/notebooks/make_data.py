"""Make the data files of the notebooks: invented people, houses and messages with the shape of the classic data sets.

Run it in this folder: ``python make_data.py``. The same seed gives the same files.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_wine

DATA = Path(__file__).parent / "data"
rng = np.random.default_rng(20261121)


def chance(score: np.ndarray) -> np.ndarray:
    return rng.random(len(score)) < 1 / (1 + np.exp(-score))


def holes(frame: pd.DataFrame, **shares: float) -> None:
    for column, share in shares.items():
        frame.loc[rng.random(len(frame)) < share, column] = np.nan


def passengers(count: int, first: int) -> pd.DataFrame:
    sex = rng.choice(["male", "female"], count, p=[0.64, 0.36])
    age = np.clip(rng.normal(30, 14, count), 0.5, 78).round(1)
    married = rng.random(count) < 0.45
    title = np.where(sex == "male", np.where(age < 13, "Master", "Mr"), np.where(married, "Mrs", "Miss"))
    title = np.where(rng.random(count) < 0.03, rng.choice(["Dr", "Rev", "Col", "Major"], count), title)
    surnames = ["Brandt", "Okafor", "Lindqvist", "Moreau", "Kowalski", "Ferrari", "Nakamura", "Hughes", "Petrov", "Silva"]
    names = ["Ada", "Ben", "Clara", "David", "Elsa", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Karl", "Lena"]
    pclass = rng.choice([1, 2, 3], count, p=[0.24, 0.21, 0.55])
    frame = pd.DataFrame({
        "PassengerId": np.arange(first, first + count),
        "Pclass": pclass,
        "Name": [f"{a}, {t}. {b}" for a, t, b in zip(rng.choice(surnames, count), title, rng.choice(names, count))],
        "Sex": sex,
        "Age": age,
        "SibSp": rng.choice([0, 1, 2, 3], count, p=[0.68, 0.23, 0.06, 0.03]),
        "Parch": rng.choice([0, 1, 2], count, p=[0.76, 0.14, 0.10]),
        "Ticket": [f"{p} {n}" for p, n in zip(rng.choice(["A/5", "PC", "STON", "SC"], count), rng.integers(1000, 99999, count))],
        "Fare": (rng.lognormal(2.2, 0.6, count) * (4 - pclass)).round(2),
        "Cabin": [f"{deck}{number}" for deck, number in zip(rng.choice(list("ABCDE"), count), rng.integers(1, 130, count))],
        "Embarked": rng.choice(["S", "C", "Q"], count, p=[0.72, 0.19, 0.09]),
    })
    score = 2.6 * (sex == "female") - 0.9 * (pclass - 2) - 0.02 * age - 0.6
    frame.insert(1, "Survived", chance(np.asarray(score)).astype(int))
    holes(frame, Age=0.2, Cabin=0.77, Embarked=0.006)
    return frame


def customers(count: int) -> pd.DataFrame:
    tenure = rng.integers(0, 73, count)
    contract = np.where(tenure > 40, rng.choice(["One year", "Two year"], count), rng.choice(["Month-to-month", "One year"], count, p=[0.8, 0.2]))
    internet = rng.choice(["DSL", "Fiber optic", "No"], count, p=[0.34, 0.44, 0.22])
    monthly = (20 + 30 * (internet == "DSL") + 55 * (internet == "Fiber optic") + rng.normal(5, 6, count)).round(2)
    total = np.where(tenure == 0, " ", np.char.mod("%.2f", tenure * monthly))
    score = -0.05 * tenure + 1.4 * (contract == "Month-to-month") + 0.02 * (monthly - 60) - 0.4
    return pd.DataFrame({
        "customerID": [f"{n:04d}-{''.join(rng.choice(list('ABCDEFGHJK'), 5))}" for n in rng.integers(0, 9999, count)],
        "gender": rng.choice(["Female", "Male"], count),
        "SeniorCitizen": (rng.random(count) < 0.16).astype(int),
        "Partner": rng.choice(["Yes", "No"], count),
        "tenure": tenure,
        "InternetService": internet,
        "OnlineSecurity": np.where(internet == "No", "No internet service", rng.choice(["Yes", "No"], count)),
        "Contract": contract,
        "PaperlessBilling": rng.choice(["Yes", "No"], count, p=[0.6, 0.4]),
        "PaymentMethod": rng.choice(["Electronic check", "Mailed check", "Bank transfer", "Credit card"], count),
        "MonthlyCharges": monthly,
        "TotalCharges": total,
        "Churn": np.where(chance(score), "Yes", "No"),
    })


def houses(count: int) -> pd.DataFrame:
    quality = np.clip(rng.normal(6, 1.4, count), 1, 10).astype(int)
    area = rng.normal(1500, 450, count).clip(500).astype(int)
    built = rng.integers(1900, 2011, count)
    hood = rng.choice(["NAmes", "CollgCr", "OldTown", "Edwards", "Somerst"], count)
    bonus = pd.Series(hood).map({"NAmes": 0, "CollgCr": 0.12, "OldTown": -0.15, "Edwards": -0.1, "Somerst": 0.2}).to_numpy()
    price = np.exp(10.4 + 0.13 * quality + 0.00035 * area + 0.002 * (built - 1950) + bonus + rng.normal(0, 0.1, count))
    frame = pd.DataFrame({
        "Id": np.arange(1, count + 1),
        "MSZoning": rng.choice(["RL", "RM", "FV"], count, p=[0.78, 0.17, 0.05]),
        "LotFrontage": rng.normal(70, 20, count).clip(20).round(),
        "LotArea": rng.lognormal(9.1, 0.4, count).astype(int),
        "Neighborhood": hood,
        "OverallQual": quality,
        "YearBuilt": built,
        "GrLivArea": area,
        "TotalBsmtSF": (area * rng.uniform(0.4, 0.9, count)).astype(int),
        "GarageType": rng.choice(["Attchd", "Detchd", "BuiltIn"], count),
        "GarageArea": rng.normal(470, 150, count).clip(0).astype(int),
        "CentralAir": rng.choice(["Y", "N"], count, p=[0.93, 0.07]),
        "Fence": rng.choice(["MnPrv", "GdPrv"], count),
        "SalePrice": (price / 100).round().astype(int) * 100,
    })
    holes(frame, LotFrontage=0.18, GarageType=0.05, Fence=0.8)
    return frame


def hours(count: int) -> pd.DataFrame:
    when = pd.date_range("2011-03-01", periods=count, freq="3h")
    temp = (14 + 9 * np.sin((when.day_of_year - 100) / 58) + 4 * np.sin((when.hour - 9) / 3.8) + rng.normal(0, 2, count)).round(2)
    humidity = rng.normal(62, 17, count).clip(15, 100).astype(int)
    working = (when.day_of_week < 5).astype(int)
    rush = np.isin(when.hour, [9, 18]) * working
    mean = np.exp(2.2 + 0.06 * temp + 0.9 * rush - 0.006 * humidity + 0.7 * ((when.hour > 8) & (when.hour < 22)))
    casual = rng.poisson(np.asarray(mean) * 0.25)
    registered = rng.poisson(np.asarray(mean))
    return pd.DataFrame({
        "datetime": when,
        "season": (when.month % 12 // 3) + 1,
        "holiday": (rng.random(count) < 0.03).astype(int),
        "workingday": working,
        "weather": rng.choice([1, 2, 3], count, p=[0.66, 0.26, 0.08]),
        "temp": temp,
        "humidity": humidity,
        "windspeed": rng.gamma(3, 4, count).round(2),
        "casual": casual,
        "registered": registered,
        "count": casual + registered,
    })


def loans(count: int) -> pd.DataFrame:
    age, amount = rng.integers(19, 75, count), rng.lognormal(7.8, 0.7, count).round()
    duration = rng.choice([6, 12, 18, 24, 36, 48], count)
    checking = rng.choice(["little", "moderate", "rich"], count, p=[0.45, 0.4, 0.15])
    score = 0.03 * duration + 0.9 * (checking == "little") - 0.02 * age - 1.2
    frame = pd.DataFrame({
        "Age": age,
        "Sex": rng.choice(["male", "female"], count, p=[0.69, 0.31]),
        "Job": rng.choice([0, 1, 2, 3], count, p=[0.02, 0.2, 0.63, 0.15]),
        "Housing": rng.choice(["own", "rent", "free"], count, p=[0.71, 0.18, 0.11]),
        "Saving accounts": rng.choice(["little", "moderate", "quite rich", "rich"], count, p=[0.7, 0.13, 0.1, 0.07]),
        "Checking account": checking,
        "Credit amount": amount.astype(int),
        "Duration": duration,
        "Purpose": rng.choice(["car", "radio/TV", "furniture", "business", "education"], count),
        "Risk": np.where(chance(score), "bad", "good"),
    })
    holes(frame, **{"Saving accounts": 0.18, "Checking account": 0.3})
    return frame


def messages(count: int) -> pd.DataFrame:
    spam = ["WIN a FREE prize now! Call {n}", "URGENT! You have won £{n} cash, claim now", "Free entry: text WIN to {n}", "Your loan of {n} is approved, call now!!"]
    ham = ["see you at {n} then", "ok, call me when you are home", "can we meet tomorrow at {n}?", "I won the game lol", "mum says dinner at {n}", "running late, sorry", "did you call the bank about {n}"]
    tails = ["", " x", " :)", " please", " today", " thanks", " cu later", "!!"]
    label = np.where(rng.random(count) < 0.25, "spam", "ham")
    text = [rng.choice(spam if one == "spam" else ham).replace("{n}", str(rng.integers(1, 9999))) + rng.choice(tails) for one in label]
    return pd.DataFrame({"label": label, "message": text})


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    passengers(480, 1).to_csv(DATA / "train.csv", index=False)
    passengers(120, 481).drop(columns="Survived").to_csv(DATA / "test.csv", index=False)
    customers(500).to_csv(DATA / "telco_churn.csv", index=False)
    houses(400).to_csv(DATA / "houses.csv", index=False)
    hours(720).to_csv(DATA / "bikes.csv", index=False)
    loans(450).to_csv(DATA / "german_credit.csv", index=True)
    messages(320).to_csv(DATA / "sms.tsv", sep="\t", index=False, header=False)
    load_wine(as_frame=True).frame.to_csv(DATA / "wine.csv", index=False)
