"""What tests are made of: crops, searches, clips, and networks in ONNX and MXNet; a module for each kind."""
