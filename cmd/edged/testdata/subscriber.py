"""Follows one run of edged and checks every mask with Pillow.

usage: subscriber.py PORT; prints one JSON document when the node goes offline
"""
import io
import json
import sys

import paho.mqtt.client as mqtt
from PIL import Image

results, masks, faults = {}, {}, []


def on_message(client, _, message):
    leaf = message.topic.split("/")[-1]
    if leaf == "result":
        r = json.loads(message.payload)
        results[r["seq"]] = r
    elif leaf == "mask":
        image = Image.open(io.BytesIO(message.payload))
        image.load()
        masks[int(image.text["seq"])] = (image.mode, image.size, image.getextrema()[1])
    elif message.topic.count("/") == 2 and leaf == "status" and message.payload == b"offline" and results:
        client.disconnect()


def check():
    for seq, (mode, size, highest) in masks.items():
        r = results.get(seq)
        if r is None:
            faults.append(f"mask {seq} has no result")
        elif mode != "L" or size != (r["mask"]["w"], r["mask"]["h"]):
            faults.append(f"mask {seq}: {mode} {size}, the result says {r['mask']}")
        elif highest >= len(r["classes"]):
            faults.append(f"mask {seq}: class {highest} of {len(r['classes'])}")
        elif sum(c["px"] for c in r["classes"]) != size[0] * size[1]:
            faults.append(f"result {seq}: its classes do not add up to the mask")


client = mqtt.Client(client_id="subscriber")
client.on_message = on_message
client.connect("127.0.0.1", int(sys.argv[1]))
client.subscribe([("edged/#", 1)])
client.on_subscribe = lambda *_: print("ready", file=sys.stderr, flush=True)
client.loop_forever()
check()
print(json.dumps({"results": len(results), "last": max(results), "masks": len(masks), "faults": faults[:5]}))
