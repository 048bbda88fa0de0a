"""What the fake WeChat and the fake WeCom share: phones, sealed callbacks, the gate of their calls, control routes."""
