"""What WeChat and WeCom share: their XML, the envelope around it, and calls with an access token."""
