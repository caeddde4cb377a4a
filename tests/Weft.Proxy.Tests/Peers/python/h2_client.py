# SPDX-License-Identifier: Apache-2.0
"""A client of HTTP/2 on python3-h2, with frames of its own where the library would not send them: h2_client.py PORT."""
import socket
import struct
import sys

import h2.config
import h2.connection
import h2.events
import h2.settings
import hpack

PORT = int(sys.argv[1])
HEAD = [(":method", "GET"), (":scheme", "http"), (":authority", "shop"), (":path", "/")]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_ERROR, PROTOCOL, FLOW, STREAM_CLOSED, SIZE, COMPRESSION, ENHANCE = 0, 1, 3, 5, 6, 9, 11


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def block(fields):
    return hpack.Encoder().encode(fields)


class Client:
    def __init__(self, settings=None):
        self.socket = socket.create_connection(("127.0.0.1", PORT), 10)
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=True, header_encoding="utf-8", validate_outbound_headers=False, normalize_outbound_headers=False))
        self.h2.initiate_connection()
        if settings:
            self.h2.update_settings(settings)
        self.flush()
        self.status, self.body, self.ended, self.reset, self.trailers, self.seen = {}, {}, set(), {}, {}, []
        self.closed = False

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def raw(self, data):
        self.flush()
        self.socket.sendall(data)

    def pump(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return
        for event in self.h2.receive_data(data):
            self.seen.append(event)
            if isinstance(event, h2.events.ResponseReceived):
                self.status[event.stream_id] = dict(event.headers)[":status"]
            elif isinstance(event, h2.events.DataReceived):
                self.body[event.stream_id] = self.body.get(event.stream_id, b"") + event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.TrailersReceived):
                self.trailers[event.stream_id] = dict(event.headers)
            elif isinstance(event, h2.events.StreamEnded):
                self.ended.add(event.stream_id)
            elif isinstance(event, h2.events.StreamReset):
                self.reset[event.stream_id] = event.error_code
        self.flush()

    def until(self, condition):
        while not condition():
            assert not self.closed, "the proxy closed the connection"
            self.pump()

    def get(self, stream, *more):
        self.h2.send_headers(stream, HEAD + list(more), end_stream=True)
        self.flush()

    def good(self, stream):
        self.until(lambda: stream in self.ended)
        assert self.status[stream] == "200", self.status
        return self.body.get(stream, b"")


class RawClient:
    """Sends bytes, and reads frames by itself: what a library would hide."""

    def __init__(self, first=PREFACE + frame(4, 0, 0)):
        self.socket = socket.create_connection(("127.0.0.1", PORT), 10)
        self.socket.sendall(first)
        self.buffer = b""

    def frames(self):
        while True:
            while len(self.buffer) >= 9:
                length = int.from_bytes(self.buffer[:3], "big")
                if len(self.buffer) < 9 + length:
                    break
                kind, flags, stream = self.buffer[3], self.buffer[4], int.from_bytes(self.buffer[5:9], "big")
                payload, self.buffer = self.buffer[9:9 + length], self.buffer[9 + length:]
                yield kind, flags, stream, payload
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                return
            if not data:
                return
            self.buffer += data

    def ends(self, data, *codes):
        """The connection ends with GOAWAY and one of the codes."""
        self.socket.sendall(data)
        for kind, _, _, payload in self.frames():
            if kind == 7:
                code = int.from_bytes(payload[4:8], "big")
                if code != NO_ERROR:
                    assert code in codes, f"GOAWAY with {code}"
                    return
        raise AssertionError("closed without GOAWAY")

    def resets(self, data, *codes):
        """Stream 1 is reset, or answered 400, and the connection serves stream 3."""
        self.socket.sendall(data + frame(1, 5, 3, block(HEAD)))
        refused = False
        for kind, flags, stream, payload in self.frames():
            if kind == 3 and stream == 1:
                code = int.from_bytes(payload, "big")
                assert code in codes, f"RST_STREAM with {code}"
                refused = True
            elif kind == 1 and stream == 1:
                raise AssertionError("it was answered")
            elif kind == 7:
                raise AssertionError("the whole connection ended")
            elif stream == 3 and kind in (0, 1) and flags & 1:
                assert refused, "stream 1 was not refused"
                return
        raise AssertionError("the connection closed")


def a_request_is_answered():
    client = Client()
    client.get(1)
    assert client.good(1) == b"GET / 0"


def ten_requests_at_once_are_answered():
    client = Client()
    for i in range(10):
        client.get(1 + 2 * i)
    for i in range(10):
        client.good(1 + 2 * i)


def a_body_above_every_window_passes():
    client = Client()
    client.h2.send_headers(1, [(":method", "POST")] + HEAD[1:])
    left = 500_000
    while left:
        size = min(left, client.h2.local_flow_control_window(1), client.h2.max_outbound_frame_size)
        if size == 0:
            client.flush()
            client.pump()
            continue
        client.h2.send_data(1, b"x" * size, end_stream=size == left)
        left -= size
    client.flush()
    assert client.good(1) == b"POST / 500000"


def an_answer_passes_through_a_window_of_ten_bytes():
    client = Client({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 10})
    client.h2.send_headers(1, HEAD[:3] + [(":path", "/large")], end_stream=True)
    client.flush()
    assert len(client.good(1)) == 5000


def a_client_without_a_table_for_fields_is_understood():
    client = Client({h2.settings.SettingCodes.HEADER_TABLE_SIZE: 0})
    client.get(1)
    client.good(1)
    client.get(3)
    client.good(3)


def a_ping_is_answered():
    client = Client()
    client.h2.ping(b"12345678")
    client.flush()
    client.until(lambda: any(isinstance(e, h2.events.PingAckReceived) and e.ping_data == b"12345678" for e in client.seen))


def settings_are_acknowledged():
    client = Client()
    client.until(lambda: any(isinstance(e, h2.events.SettingsAcknowledged) for e in client.seen))


def trailers_of_a_request_do_no_harm():
    client = Client()
    client.h2.send_headers(1, [(":method", "POST")] + HEAD[1:])
    client.h2.send_data(1, b"abc")
    client.h2.send_headers(1, [("x-check", "1")], end_stream=True)
    client.flush()
    assert client.good(1) == b"POST / 3"


def a_reset_stream_leaves_the_others_alone():
    client = Client()
    client.h2.send_headers(1, [(":method", "POST")] + HEAD[1:])
    client.h2.reset_stream(1, 8)
    client.get(3)
    client.good(3)


def a_client_that_says_goodbye_gets_its_answer():
    client = Client()
    client.get(1)
    client.raw(frame(7, 0, 0, struct.pack(">II", 0, 0)))
    client.good(1)


def priorities_and_unknown_frames_are_ignored():
    client = Client()
    client.raw(frame(2, 0, 1, struct.pack(">IB", 0, 200)) + frame(0xFA, 0xFF, 0, b"what") + frame(0xFB, 0, 7, b"ever"))
    client.get(1)
    client.good(1)


def unknown_settings_are_ignored():
    client = Client()
    client.raw(frame(4, 0, 0, struct.pack(">HI", 0x7777, 1)))
    client.get(1)
    client.good(1)


def padding_is_no_body():
    client = RawClient()
    client.socket.sendall(
        frame(1, 0x4 | 0x8, 1, bytes([20]) + block([(":method", "POST")] + HEAD[1:]) + bytes(20)) + frame(0, 0x1 | 0x8, 1, bytes([9]) + b"abc" + bytes(9)))
    body = b""
    for kind, flags, stream, payload in client.frames():
        body += payload if kind == 0 and stream == 1 else b""
        if stream == 1 and kind in (0, 1) and flags & 1:
            break
    assert body == b"POST / 3", body


def a_head_in_pieces_is_one_head():
    client = RawClient()
    fields = block(HEAD + [("x-long", "y" * 200)])
    client.socket.sendall(frame(1, 1, 1, fields[:3]) + frame(9, 0, 1, fields[3:50]) + frame(9, 4, 1, fields[50:]))
    assert any(kind == 1 and stream == 1 for kind, _, stream, _ in client.frames())


HEADERS = frame(1, 5, 1, block(HEAD))
OPEN = frame(1, 4, 1, block([(":method", "POST")] + HEAD[1:]))

CONNECTION_ERRORS = {
    "an_even_stream": (frame(1, 5, 2, block(HEAD)), [PROTOCOL]),
    "data_on_stream_zero": (frame(0, 0, 0, b"x"), [PROTOCOL]),
    "a_head_on_stream_zero": (frame(1, 5, 0, block(HEAD)), [PROTOCOL]),
    "settings_on_a_stream": (frame(4, 0, 1), [PROTOCOL]),
    "data_on_an_idle_stream": (frame(0, 0, 5, b"x"), [PROTOCOL, STREAM_CLOSED]),
    "a_reset_of_an_idle_stream": (frame(3, 0, 5, bytes(4)), [PROTOCOL]),
    "a_window_update_of_an_idle_stream": (frame(8, 0, 5, struct.pack(">I", 1)), [PROTOCOL]),
    "a_window_update_of_nothing": (frame(8, 0, 0, bytes(4)), [PROTOCOL]),
    "a_window_that_overflows": (frame(8, 0, 0, struct.pack(">I", 0x7FFFFFFF)), [FLOW]),
    "a_window_update_of_three_bytes": (frame(8, 0, 0, bytes(3)), [SIZE]),
    "settings_of_five_bytes": (frame(4, 0, 0, bytes(5)), [SIZE]),
    "an_acknowledgement_with_settings": (frame(4, 1, 0, bytes(6)), [SIZE]),
    "a_ping_of_seven_bytes": (frame(6, 0, 0, bytes(7)), [SIZE]),
    "a_ping_on_a_stream": (frame(6, 0, 1, bytes(8)), [PROTOCOL]),
    "a_goaway_on_a_stream": (frame(7, 0, 1, bytes(8)), [PROTOCOL]),
    "a_promise_of_a_client": (frame(5, 4, 1, struct.pack(">I", 2) + block(HEAD)), [PROTOCOL]),
    "a_frame_above_the_largest": (OPEN + frame(0, 0, 1, bytes(16385)), [SIZE]),
    "a_push_setting_of_two": (frame(4, 0, 0, struct.pack(">HI", 2, 2)), [PROTOCOL]),
    "a_window_setting_above_the_largest": (frame(4, 0, 0, struct.pack(">HI", 4, 0x80000000)), [FLOW]),
    "a_frame_size_setting_below_the_least": (frame(4, 0, 0, struct.pack(">HI", 5, 100)), [PROTOCOL]),
    "a_continuation_of_nothing": (frame(9, 4, 1, block(HEAD)), [PROTOCOL]),
    "something_between_head_and_continuation": (frame(1, 1, 1, block(HEAD)[:3]) + frame(6, 0, 0, bytes(8)), [PROTOCOL]),
    "more_padding_than_payload": (OPEN + frame(0, 8, 1, bytes([9, 1])), [PROTOCOL]),
    "a_field_that_the_table_has_not": (frame(1, 5, 1, b"\xfe"), [COMPRESSION]),
    "a_table_above_the_largest": (frame(1, 5, 1, b"\x3f\xe1\xff\xff\x07" + block(HEAD)), [COMPRESSION]),
    "a_stream_number_going_down": (frame(1, 5, 5, block(HEAD)) + frame(1, 5, 3, block(HEAD)), [PROTOCOL, STREAM_CLOSED]),
}

STREAM_ERRORS = {
    "a_name_in_capitals": HEAD + [("X-Big", "1")],
    "no_path": HEAD[:3],
    "no_method": HEAD[1:],
    "two_paths": HEAD + [(":path", "/2")],
    "a_pseudo_field_behind_a_field": HEAD[:3] + [("x", "1"), (":path", "/")],
    "an_unknown_pseudo_field": HEAD + [(":what", "1")],
    "a_field_of_one_hop": HEAD + [("connection", "close")],
    "a_coding_of_http1": HEAD + [("transfer-encoding", "chunked")],
    "another_te_than_trailers": HEAD + [("te", "gzip")],
}


def main():
    failures = 0
    cases = {name: f for name, f in globals().items() if callable(f) and getattr(f, "__module__", "") == "__main__" and name not in
             ("Client", "RawClient", "frame", "block", "main")}
    for name, (data, codes) in CONNECTION_ERRORS.items():
        cases[f"the_connection_ends_for_{name}"] = lambda data=data, codes=codes: RawClient().ends(data, *codes)
    for name, fields in STREAM_ERRORS.items():
        cases[f"the_stream_ends_for_{name}"] = lambda fields=fields: RawClient().resets(frame(1, 5, 1, block(fields)), PROTOCOL)
    for name, case in cases.items():
        try:
            case()
            print("ok", name)
        except Exception as problem:  # every case is reported, whatever breaks it
            failures += 1
            print("failed", name, type(problem).__name__, problem)
    print(f"{len(cases)} cases, {failures} failed")
    return 1 if failures else 0


sys.exit(main())
