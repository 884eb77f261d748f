#!/usr/bin/env python3
"""A server of RFC 7662 for tests.

usage: introspectd.py CERTIFICATE DIR

Listens on a free port, which it writes to DIR/port.  A token is looked up
as the file DIR/TOKEN, whose text is the answer; none is inactive.  Requests
are kept in DIR/requests.  DIR/mode says how to answer: "chunked", "close"
(no length), "status N", "cut", "hang".
"""
import http.server
import os
import ssl
import sys
import time
import urllib.parse

certificate, folder = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with open(folder + "/requests", "a") as f:
            f.write("%s\n%s\n%s\n" % (self.path, self.headers, body))
        token = urllib.parse.parse_qs(body)["token"][0]
        try:
            answer = open("%s/%s" % (folder, token), "rb").read()
        except OSError:
            answer = b'{"active": false}'
        try:
            mode = open(folder + "/mode").read().split()
        except OSError:
            mode = [""]
        if mode[0] == "hang":
            time.sleep(60)
        self.send_response(int(mode[1]) if mode[0] == "status" else 200)
        self.send_header("Connection", "close")
        self.close_connection = True
        if mode[0] == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for c in answer[:7], answer[7:]:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(c), c))
            self.wfile.write(b"0\r\n\r\n")
        elif mode[0] == "close":
            self.end_headers()
            self.wfile.write(answer)
        else:
            n = len(answer) + (10 if mode[0] == "cut" else 0)
            self.send_header("Content-Length", str(n))
            self.end_headers()
            self.wfile.write(answer)
        self.wfile.flush()
        try:
            self.connection.unwrap()
        except OSError:
            pass

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate)
server.socket = context.wrap_socket(server.socket, server_side=True)
with open(folder + "/port.new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(folder + "/port.new", folder + "/port")
server.serve_forever()
