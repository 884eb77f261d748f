/* COMPRESS (RFC 4978): both ways by DEFLATE, until the connection ends. */
#include "imap.h"
#include "io/deflate.h"

/* compress = "COMPRESS" SP algorithm */
void
cmd_compress(struct imap *im)
{
	if (im->e.args->type != IMAP_ATOM ||
	    !span_iis(im->e.args->text, "DEFLATE")) {
		imap_bad(im, "Only DEFLATE is known");
		return;
	}
	if (im->compressed) {
		imap_reply(im, "NO [COMPRESSIONACTIVE] It is active already");
		return;
	}
	imap_done(im, "OK Compression begins");
	out_flush(&im->out);
	im->compressed = true;
	deflate_connection(&im->in, &im->out);
	wait_compressed(&im->out);
}
