# Nothing to configure: override on the command line, make CC=clang PREFIX=/usr
PREFIX     = /usr/local
BINDIR     = $(PREFIX)/bin
SBINDIR    = $(PREFIX)/sbin
LIBEXECDIR = $(PREFIX)/libexec
SHAREDIR   = $(PREFIX)/share
MANDIR     = $(SHAREDIR)/man
DESTDIR    =

VERSION = 0.1
HARDEN  = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE \
	-fstack-clash-protection -fno-strict-aliasing
CFLAGS  = -O2 -g $(HARDEN)
LDFLAGS = -pie -Wl,-z,relro,-z,now,-z,noexecstack
WARN    = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wswitch-enum \
	-Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wformat=2 \
	-Werror
COMPILE = $(CC) -std=c11 -D_POSIX_C_SOURCE=200809L -pthread -DVERSION='"$(VERSION)"' \
	-Ilib $(WARN) $(CFLAGS)
B       = build

# make SAN=1: another folder, with the address and undefined sanitizers
ifdef SAN
B       = build-san
CFLAGS  = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
LDFLAGS = -fsanitize=address,undefined
endif

# make FUZZ=1 fuzzers: a third one, for libFuzzer
ifdef FUZZ
B       = build-fuzz
CC      = clang
WARN    = -Wall -Werror
CFLAGS  = -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all
LDFLAGS = -fsanitize=fuzzer,address,undefined
endif

all:

# Layers: an archive a folder of lib/, lowest last.
BASE  = $B/libbase.a
IO    = $B/libio.a $(BASE)
MAIL  = $B/libmail.a $(BASE)
STORE = $B/libstore.a $(MAIL) $(IO)
QUEUE = $B/libqueue.a $(MAIL) $(IO)
AUTH  = $B/libauth.a $(MAIL) $(IO)
SMTP  = $B/libsmtp.a $(MAIL)
IMAP  = $B/libimap.a $(MAIL)
POP3  = $B/libpop3.a $(MAIL)

# What each program is made of; only these lines name a library.
PROGRAMS = $(patsubst cmd/%.c,%,$(wildcard cmd/*.c)) \
	$(patsubst cmd/%/main.c,%,$(wildcard cmd/*/main.c))
$B/mtls:     $(IO)
$B/mauth:    $B/libauth.a $(SMTP) $(IMAP) $(POP3) $(IO)
$B/mpasswd:  $(AUTH)
$B/mtoken:   $(AUTH)
$B/mrecv:    $(SMTP) $B/libqueue.a $(AUTH)
$B/mqueue:   $(QUEUE)
$B/mdeliver: $B/libauth.a $B/libqueue.a $(STORE)
$B/msend:    $(SMTP) $B/libqueue.a $(IO)
$B/mpop:     $(POP3) $B/libauth.a $(STORE)
$B/mimapd:   $(IMAP) $B/libauth.a $(STORE)
$B/mindex:   $(IMAP) $B/libauth.a $(STORE)
$B/pneu:     $(IO)
$B/mtls $B/msend $B/mtoken: LDLIBS = -lssl -lcrypto
$B/mauth $B/mpasswd: LDLIBS = -lcrypt
# Of zlib little is used, and by few sessions: part of the program, where it
# can be, it costs neither time at the start nor memory.
LIBZ = $(if $(filter /%,$(shell $(CC) -print-file-name=libz.a)),-l:libz.a,-lz)
$B/mimapd $B/mpop $B/mindex $B/mdeliver: LDLIBS = $(LIBZ)

all: $(PROGRAMS:%=$B/%)

.SECONDEXPANSION:
objects = $(addprefix $B/,$(addsuffix .o,$(basename $(wildcard $1))))
$(PROGRAMS:%=$B/%): $B/%: $$(call objects,cmd/$$*.c cmd/$$*/*.c)
	$(CC) $(LDFLAGS) -o $@ $+ $(LDLIBS)

$B/lib%.a: $$(call objects,lib/$$*/*.c)
	@rm -f $@
	$(AR) rcs $@ $^

$B/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) $(if $(filter lib/io/%,$<),-D_GNU_SOURCE) -MMD -MP -c -o $@ $<

# Unit tests: t/unit/NAME.c, linked with every layer.
UNITS = $(patsubst t/unit/%.c,$B/unit/%,$(wildcard t/unit/*.c))
ALL   = $B/libauth.a $B/libqueue.a $B/libstore.a $B/libsmtp.a $B/libimap.a \
	$B/libpop3.a $B/libmail.a $B/libio.a $B/libbase.a
$B/unit/%: $B/t/unit/%.o $(ALL)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(ALL) -lssl -lcrypto -lcrypt -lz
units: $(UNITS)

# Fuzz targets: t/fuzz/NAME.c, linked with every layer, and with the parts
# of a program that it names, but its main: /* links: cmd/mrecv/[a-z]*.c */
FUZZERS = $(patsubst t/fuzz/%.c,$B/fuzz/%,$(wildcard t/fuzz/*.c))
links   = $(filter-out %/main.c,$(wildcard \
	$(shell sed -n 's|^/\* links: \(.*\) \*/|\1|p' $1)))
$B/fuzz/%: $B/t/fuzz/%.o $$(call objects,$$(call links,t/fuzz/$$*.c)) $(ALL)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $+ -lssl -lcrypto -lcrypt -lz
fuzzers: $(FUZZERS)

run:
	@scripts/deps run
	@$(MAKE) -s all
	@scripts/run

check:
	@scripts/check

bench: all
	@scripts/deps bench
	@N=$(N) t/bench/run

soak: all
	@t/bench/soak $(N)

fuzz:
	@scripts/fuzz $(T) $(S)

install: all
	B=$B scripts/install "$(DESTDIR)" "$(BINDIR)" "$(SBINDIR)" \
	    "$(LIBEXECDIR)" "$(SHAREDIR)" "$(MANDIR)" $(PROGRAMS)
uninstall:
	scripts/install -u "$(DESTDIR)" "$(BINDIR)" "$(SBINDIR)" \
	    "$(LIBEXECDIR)" "$(SHAREDIR)" "$(MANDIR)" $(PROGRAMS)

clean:
	rm -rf build build-san build-fuzz

.PHONY: all units fuzzers run check bench soak fuzz install uninstall clean
.DELETE_ON_ERROR:
.SECONDARY:
-include $(shell find $B -name '*.d' 2>/dev/null)
