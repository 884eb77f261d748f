"""Evolution's IMAP client, camel's imapx, as alice; told of news by NOTIFY.

usage: camel.py first|again FOLDER (of what it keeps), with EDS_CAMEL_PROVIDER_DIR and IMAP_PORT.
Another client of alice's makes the news.  What camel and the server say goes
to standard output (CAMEL_DEBUG), what went wrong to standard error.
"""

import imaplib
import os
import sys
import time

import gi

gi.require_version("Camel", "1.2")
from gi.repository import Camel, GLib, GObject  # noqa: E402


class Session(Camel.Session):
    def do_authenticate_sync(self, service, mechanism, cancellable):
        service.set_password("secret-alice")
        how = service.authenticate_sync(mechanism, cancellable)
        assert how == Camel.AuthenticationResult.ACCEPTED, how
        return True


def until(what, done):
    """Let camel work until this is so."""
    end = time.monotonic() + 60
    context = GLib.MainContext.default()
    while not done():
        assert time.monotonic() < end, what
        context.iteration(False)
        time.sleep(0.005)


def flags(folder, uid):
    return folder.get_message_flags(uid)


def account(base):
    session = Session(user_data_dir=base + "/data", user_cache_dir=base + "/cache")
    session.set_online(True)
    store = session.add_service("a", "imapx", Camel.ProviderType.STORE)
    settings = store.ref_settings()
    for name, value in {
            "host": "127.0.0.1", "port": int(os.environ["IMAP_PORT"]),
            "user": "alice@example.test",
            "security-method": Camel.NetworkSecurityMethod.NONE,
            "use-qresync": True, "use-idle": True,
            "use-subscriptions": False}.items():
        settings.set_property(name, value)
    store.set_property("settings", settings)
    store.set_online_sync(True, None)
    assert store.connect_sync(None)
    store.get_folder_info_sync(None, Camel.StoreGetFolderInfoFlags.RECURSIVE, None)
    inbox = store.get_folder_sync("INBOX", 0, None)
    inbox.refresh_info_sync(None)
    return session, store, inbox


def other():
    c = imaplib.IMAP4("127.0.0.1", int(os.environ["IMAP_PORT"]))
    c.login("alice@example.test", "secret-alice")
    return c


def add(c, box, n):
    ok, _ = c.append(box, None, None, b"From: J\xc3\xb6rg <j@x.test>\r\n"
                     b"Subject: n\xc3\xa4he %d\r\n\r\nbody %d\r\n" % (n, n))
    assert ok == "OK", ok


def work(store, inbox, c):
    """What another client does is told, message by message."""
    for n in 1, 2, 3:
        add(c, "INBOX", n)
    until("three new", lambda: inbox.get_message_count() == 3)
    c.select()
    c.store("2", "+FLAGS", "(\\Flagged work)")
    until("a flag", lambda: flags(inbox, "2") & Camel.MessageFlags.FLAGGED)
    until("a keyword", lambda: inbox.get_message_user_flag("2", "work"))
    c.store("1", "+FLAGS", "(\\Deleted)")
    c.expunge()
    until("an expunge", lambda: inbox.get_message_count() == 2)
    info = inbox.get_message_info("3")
    assert info.get_subject() == "n\u00e4he 3", info.get_subject()
    assert info.get_from() == "J\u00f6rg <j@x.test>", info.get_from()

    # its own work
    m = inbox.get_message_sync("2", None)
    stream = Camel.StreamMem.new()
    m.write_to_stream_sync(stream, None)
    text = bytes(stream.get_byte_array())
    assert text.endswith(b"body 2\r\n"), text
    name = "Entw\u00fcrfe & mehr"
    assert store.create_folder_sync("", name, None)
    folder = store.get_folder_sync(name, 0, None)
    ok, _ = inbox.transfer_messages_to_sync(["3"], folder, True, None)
    assert ok
    inbox.set_message_flags("2", Camel.MessageFlags.SEEN, Camel.MessageFlags.SEEN)
    inbox.synchronize_sync(True, None)
    folder.refresh_info_sync(None)
    assert folder.get_message_count() == 1, folder.get_message_count()
    assert inbox.get_message_count() == 1, inbox.get_message_count()
    ok, uid = folder.append_message_sync(m, None, None)
    assert ok and uid == "2", uid
    until("its append", lambda: folder.get_message_count() == 2)
    found = folder.search_by_expression('(match-all (body-contains "body 3"))', None)
    assert found == ["1"], found
    c.select(readonly=True)
    assert c.search(None, "SEEN")[1] == [b"1"]

    # and what came to the one that is not selected
    add(c, "INBOX", 4)
    inbox.refresh_info_sync(None)
    until("a message elsewhere", lambda: inbox.get_message_count() == 2)


def again(inbox, c):
    """What has changed since the first run."""
    uids = sorted(inbox.get_uids(), key=int)
    assert uids == ["4", "5"], uids
    assert flags(inbox, "4") & Camel.MessageFlags.ANSWERED


def main():
    mode, base = sys.argv[1:]
    Camel.init(base, False)
    Camel.provider_init()
    if mode == "again":
        c = other()
        c.select()
        c.uid("STORE", "2", "+FLAGS", "(\\Deleted)")
        c.expunge()
        c.uid("STORE", "4", "+FLAGS", "(\\Answered)")
        add(c, "INBOX", 5)
    session, store, inbox = account(base)
    c = other()
    if mode == "first":
        work(store, inbox, c)
    else:
        again(inbox, c)
    c.logout()
    store.disconnect_sync(True, None)
    print("done", file=sys.stderr)


main()
