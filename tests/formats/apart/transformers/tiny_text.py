"""Language models of a few thousand weights, made with a seed: nothing is downloaded."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import DistilBertConfig, DistilBertForSequenceClassification, DistilBertModel, PreTrainedTokenizerFast
from transformers.utils import logging

SENTENCES = [
    "the cat sat on the mat",
    "a dog ran in the park",
    "a good movie with a good plot",
    "a bad movie",
    "I love this film",
    "the terrible plot of this long film made me sleep on the mat",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
logging.disable_progress_bar()


def tokenizer() -> Any:
    """Return a tokenizer that knows the words of the sentences; training one gives another in each process."""
    words = [*SPECIAL, *sorted({word for text in SENTENCES for word in text.lower().split()})]
    made = Tokenizer(models.WordPiece({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {f"{name.strip('[]').lower()}_token": name for name in SPECIAL}
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=16, **names)


def config(**more: Any) -> Any:
    return DistilBertConfig(
        vocab_size=100, dim=16, n_layers=2, n_heads=2, hidden_dim=32, max_position_embeddings=16, **more
    )


def classifier(labels: tuple[str, ...] = ("bad", "neutral", "good"), **more: Any) -> Any:
    torch.manual_seed(0)
    named = {"id2label": dict(enumerate(labels)), "label2id": {name: place for place, name in enumerate(labels)}}
    return DistilBertForSequenceClassification(config(num_labels=len(labels), **named, **more)).eval()


def encoder() -> Any:
    torch.manual_seed(0)
    return DistilBertModel(config()).eval()


def written(model: Any, folder: Path, **more: Any) -> Path:
    """Write a folder as the library itself writes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(folder, **more)
        tokenizer().save_pretrained(folder)
    return folder
