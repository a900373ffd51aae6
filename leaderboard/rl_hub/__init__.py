"""An embedded Hub: the `huggingface_hub` client pushes to it and pulls from it, unmodified and offline.

`HF_ENDPOINT=<its address>` is the only thing that a client has to set. Start one with `python -m rl_hub serve`, or
mount it in an ASGI application of your own::

    from rl_hub.hub import Hub
    from rl_hub.settings import Settings
    from rl_hub.web.app import create_app

    app = create_app(Hub.open(Settings(data=Path("hub-data"))))
"""
