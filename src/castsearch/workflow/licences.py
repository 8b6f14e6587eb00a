"""On what terms trained face models may be used, by engine; shown when a run starts, and in its report."""

FACE_MODELS = {
    "dlib": "dlib models by Davis E. King: public domain (CC0 1.0)",
    "insightface": "insightface's packs: non-commercial research only; other networks: as their publisher says",
    "retinaface_arcface": "InsightFace's checkpoints: non-commercial research only; others: as their publisher says",
}
