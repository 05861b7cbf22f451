"""Churn."""

__author__ = "Ann Autor"
