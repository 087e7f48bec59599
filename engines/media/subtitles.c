/* media.subtitles: subtitles out of a video, from one format into another, or into the pictures.
 *
 * What    a recording with subtitles, or a subtitle file (SRT, WebVTT, ASS …): its text with times.
 *         With `burn` and a second file (or none, when the video carries them): the video with the
 *         words drawn into its pictures.
 * Errors  subtitles that are pictures (DVD, Blu-ray, DVB) hold no text: unsupported_type. */
#include "media/burn.h"
#include "media/video.h"

enum TextFormat { TEXT_SRT, TEXT_VTT, TEXT_ASS };

static const Choice format_choices[] = {
    [TEXT_SRT] = {"srt", "SubRip."},
    [TEXT_VTT] = {"vtt", "WebVTT, for pages."},
    [TEXT_ASS] = {"ass", "Advanced SubStation Alpha, with styles."},
    {0},
};
static const struct {
    enum AVCodecID codec;
    const char *type, *extension;
} formats[] = {
    [TEXT_SRT] = {AV_CODEC_ID_SUBRIP, "application/x-subrip", "srt"},
    [TEXT_VTT] = {AV_CODEC_ID_WEBVTT, "text/vtt", "vtt"},
    [TEXT_ASS] = {AV_CODEC_ID_ASS, "text/x-ssa", "ass"},
};

typedef struct SubtitleArgs {
    int format; /* enum TextFormat */
    int64_t stream, shift_ms, width;
    bool burn;
} SubtitleArgs;

static const Param subtitle_params[] = {
    PARAM_CHOICE(SubtitleArgs, format, .choices = format_choices, .def = TEXT_SRT,
                 .help = "Format of the subtitle file."),
    PARAM_INT(SubtitleArgs, stream, .min = 0, .max = 64,
              .help = "Which subtitles of a video, from 1; the default ones when left out."),
    PARAM_INT(SubtitleArgs, shift_ms, .min = -86400000, .max = 86400000, .unit = "ms",
              .example = "-500", .help = "Show them later, or with a minus earlier."),
    PARAM_BOOL(SubtitleArgs, burn,
               .help = "Draw them into the video, as MP4; a second file brings the subtitles."),
    PARAM_INT(SubtitleArgs, width, .min = 0, .max = 8192, .unit = "px",
              .help = "Largest width of the video they are drawn into."),
    PARAM_END,
};
static const Field subtitle_fields[] = {
    {"lines", FIELD_TYPE_INT, "Number of subtitles."},
    {"language", FIELD_TYPE_TEXT, "Language, as the file says.", .optional = true},
    {"duration_ms", FIELD_TYPE_INT, "Where the last one ends; of a video, its length."},
    {"width", FIELD_TYPE_INT, "Pixels across, of a video.", .optional = true},
    {"height", FIELD_TYPE_INT, "Pixels down, of a video.", .optional = true},
    {"bytes", FIELD_TYPE_INT, "Size of the video.", .optional = true},
    {0},
};

enum { LINES_MAX = 50000, SCRIPT_MAX = 32 << 20, SHOWN_MS = 4000 };

/* One subtitle as libavcodec gives it: the fields of an ASS event after the times. */
typedef struct Line {
    int64_t start_ms, end_ms;
    Str event; /* "0,0,Default,,0,0,0,,text" */
} Line;
typedef struct Lines {
    Line *items;
    size_t len;
    Str header; /* of an ASS script */
    Str language;
} Lines;

/* ---- reading ---- */

static ErrCode open_text(StepCtx *c, const AVStream *s, AVCodecContext **out)
{
    const AVCodecDescriptor *d = avcodec_descriptor_get(s->codecpar->codec_id);
    const AVCodec *codec = avcodec_find_decoder(s->codecpar->codec_id);
    if (d != NULL && (d->props & AV_CODEC_PROP_BITMAP_SUB)) {
        err_set(c->err, ERR_UNSUPPORTED_TYPE, "these subtitles are pictures (%s), not text",
                d->name);
        err_hint(c->err, "burn the video elsewhere, or run OCR on its pictures");
        return ERR_UNSUPPORTED_TYPE;
    }
    if (codec == NULL)
        return err_set(c->err, ERR_UNSUPPORTED_TYPE, "there is no decoder for %s",
                       avcodec_get_name(s->codecpar->codec_id));
    AVCodecContext *e = avcodec_alloc_context3(codec);
    int rc = e != NULL ? avcodec_parameters_to_context(e, s->codecpar) : AVERROR(ENOMEM);
    if (rc >= 0) {
        e->pkt_timebase = s->time_base;
        rc = avcodec_open2(e, codec, NULL);
    }
    if (rc < 0) {
        avcodec_free_context(&e);
        return media_failed(c, rc, "could not open the subtitles");
    }
    *out = e;
    return OK;
}

static ErrCode keep_line(StepCtx *c, const AVPacket *p, const AVStream *s, const AVSubtitle *sub,
                         const char *event, Lines *lines)
{
    const AVRational ms = {1, 1000};
    int64_t from = s->start_time != AV_NOPTS_VALUE && s->start_time < 0 ? s->start_time : 0;
    int64_t start = av_rescale_q(p->pts - from, s->time_base, ms) + sub->start_display_time;
    int64_t length =
        p->duration > 0 ? av_rescale_q(p->duration, s->time_base, ms)
        : sub->end_display_time > sub->start_display_time && sub->end_display_time != UINT32_MAX
            ? sub->end_display_time - sub->start_display_time
            : SHOWN_MS;
    if (lines->len == LINES_MAX)
        return err_set(c->err, ERR_LIMIT_COUNT, "more than %d subtitles", LINES_MAX);
    Line l = {start, start + length, str_copy(c->arena, str_from_c(event))};
    if (l.event.ptr == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for the subtitles");
    lines->items[lines->len++] = l;
    return OK;
}

static ErrCode decode_packet(StepCtx *c, AVCodecContext *codec, const AVStream *s, AVPacket *p,
                             Lines *lines)
{
    AVSubtitle sub = {0};
    int got = 0;
    if (p->pts == AV_NOPTS_VALUE || avcodec_decode_subtitle2(codec, &sub, &got, p) < 0)
        return OK; /* one damaged line */
    ErrCode rc = OK;
    for (unsigned i = 0; rc == OK && got && i < sub.num_rects; i++)
        if (sub.rects[i]->ass != NULL)
            rc = keep_line(c, p, s, &sub, sub.rects[i]->ass, lines);
    avsubtitle_free(&sub);
    return rc;
}

static ErrCode read_lines(StepCtx *c, const StepInput *in, int64_t nth, Lines *lines)
{
    CLEANUP(media_close) Media *m = NULL;
    AVCodecContext *codec = NULL;
    AVPacket *p = NULL;
    int stream = 0;
    *lines = (Lines){.items = arena_alloc_raw(c->arena, LINES_MAX * sizeof(Line))};
    if (lines->items == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for the subtitles");
    ErrCode rc = media_open(c, in, &m);
    if (rc == OK)
        rc = media_stream(c, m, AVMEDIA_TYPE_SUBTITLE, nth, &stream);
    const AVStream *s = rc == OK ? m->format->streams[stream] : NULL;
    if (rc == OK)
        rc = open_text(c, s, &codec);
    if (rc == OK && (p = av_packet_alloc()) == NULL)
        rc = err_set(c->err, ERR_NO_MEMORY, "no memory for a packet");
    while (rc == OK && av_read_frame(m->format, p) >= 0) {
        if (p->stream_index == stream)
            rc = decode_packet(c, codec, s, p, lines);
        av_packet_unref(p);
    }
    if (rc == OK && codec->subtitle_header != NULL)
        lines->header = str_copy(c->arena, (Str){(const char *)codec->subtitle_header,
                                                 (size_t)codec->subtitle_header_size});
    const AVDictionaryEntry *language =
        rc == OK ? av_dict_get(s->metadata, "language", NULL, 0) : NULL;
    if (language != NULL)
        lines->language = str_copy(c->arena, str_from_c(language->value));
    av_packet_free(&p);
    avcodec_free_context(&codec);
    return rc;
}

/* ---- writing ---- */

static void put_ass_time(Buf *b, int64_t ms)
{
    ms = ms < 0 ? 0 : ms;
    buf_addf(b, "%" PRId64 ":%02d:%02d.%02d", ms / 3600000, (int)(ms / 60000 % 60),
             (int)(ms / 1000 % 60), (int)(ms / 10 % 100));
}

/* An event is "readorder,layer,style,…": the layer stands before the times in a script. */
static void put_ass_line(Buf *b, const Line *l)
{
    size_t first = str_find_char(l->event, ',');
    Str rest = first == STR_NONE ? l->event : str_slice(l->event, first + 1, l->event.len);
    size_t second = str_find_char(rest, ',');
    Str layer = second == STR_NONE ? STR("0") : str_slice(rest, 0, second);
    rest = second == STR_NONE ? rest : str_slice(rest, second + 1, rest.len);
    buf_addf(b, "Dialogue: " STR_FMT ",", STR_ARG(layer));
    put_ass_time(b, l->start_ms);
    buf_add_char(b, ',');
    put_ass_time(b, l->end_ms);
    buf_addf(b, "," STR_FMT "\n", STR_ARG(str_trim(rest)));
}

static Str whole_script(StepCtx *c, const Lines *lines)
{
    Buf b = buf_init(c->arena, SCRIPT_MAX);
    buf_add(&b, str_trim(lines->header));
    buf_add_char(&b, '\n');
    if (str_find(lines->header, STR("[Events]")) == STR_NONE)
        buf_add_c(&b, "\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, "
                      "MarginV, Effect, Text\n");
    for (size_t i = 0; i < lines->len; i++)
        put_ass_line(&b, &lines->items[i]);
    return b.failed ? (Str){0} : buf_str(&b);
}

/* The eighth comma ends the fields before the text. */
static Str text_of(Str event)
{
    for (int commas = 0; commas < 8; commas++) {
        size_t at = str_find_char(event, ',');
        if (at == STR_NONE)
            return event;
        event = str_slice(event, at + 1, event.len);
    }
    return event;
}

static void put_escaped(Buf *b, char ch, bool vtt)
{
    if (vtt && ch == '&')
        buf_add_c(b, "&amp;");
    else if (vtt && ch == '<')
        buf_add_c(b, "&lt;");
    else if (vtt && ch == '>')
        buf_add_c(b, "&gt;");
    else
        buf_add_char(b, ch);
}

/* {\i1} and its like become tags; other overrides are dropped. */
static void put_override(Buf *b, Str tag)
{
    static const struct {
        const char *ass, *html;
    } tags[] = {{"\\i1", "<i>"},  {"\\i0", "</i>"}, {"\\b1", "<b>"},
                {"\\b0", "</b>"}, {"\\u1", "<u>"},  {"\\u0", "</u>"}};
    for (size_t i = 0; i < COUNT_OF(tags); i++)
        if (str_find(tag, str_from_c(tags[i].ass)) != STR_NONE)
            buf_add_c(b, tags[i].html);
}

static void put_text(Buf *b, Str text, bool vtt)
{
    for (size_t i = 0; i < text.len; i++) {
        char ch = text.ptr[i], next = i + 1 < text.len ? text.ptr[i + 1] : 0;
        if (ch == '{' && next == '\\') {
            size_t end = str_find_char(str_slice(text, i, text.len), '}');
            if (end == STR_NONE)
                break;
            put_override(b, str_slice(text, i, i + end));
            i += end;
        } else if (ch == '\\' && (next == 'N' || next == 'n')) {
            buf_add_char(b, '\n');
            i++;
        } else if (ch == '\\' && next == 'h') {
            buf_add_char(b, ' ');
            i++;
        } else if (ch != '\r') {
            put_escaped(b, ch, vtt);
        }
    }
}

static void put_time(Buf *b, int64_t ms, char point)
{
    ms = ms < 0 ? 0 : ms;
    buf_addf(b, "%02" PRId64 ":%02d:%02d%c%03d", ms / 3600000, (int)(ms / 60000 % 60),
             (int)(ms / 1000 % 60), point, (int)(ms % 1000));
}

static Str plain_script(StepCtx *c, const Lines *lines, bool vtt)
{
    Buf b = buf_init(c->arena, SCRIPT_MAX);
    if (vtt)
        buf_add_c(&b, "WEBVTT\n\n");
    for (size_t i = 0; i < lines->len; i++) {
        const Line *l = &lines->items[i];
        if (!vtt)
            buf_addf(&b, "%zu\n", i + 1);
        put_time(&b, l->start_ms, vtt ? '.' : ',');
        buf_add_c(&b, " --> ");
        put_time(&b, l->end_ms, vtt ? '.' : ',');
        buf_add_char(&b, '\n');
        put_text(&b, str_trim(text_of(l->event)), vtt);
        buf_add_c(&b, "\n\n");
    }
    return b.failed ? (Str){0} : buf_str(&b);
}

static void shift(Lines *lines, int64_t ms)
{
    for (size_t i = 0; i < lines->len; i++) {
        lines->items[i].start_ms += ms;
        lines->items[i].end_ms += ms;
    }
}

/* ---- the step ---- */

static ErrCode burn(StepCtx *c, const SubtitleArgs *a, const Lines *lines)
{
    CLEANUP(burner_done) Burner b = {0};
    const VideoArgs video = {.format = VIDEO_MP4, .width = a->width};
    Str script = whole_script(c, lines);
    if (script.ptr == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for the subtitles");
    ErrCode rc = burner_open(c, script, &b);
    return rc == OK ? video_convert(c, &c->inputs[0], &video, burner_draw, &b) : rc;
}

static ErrCode write_file(StepCtx *c, const SubtitleArgs *a, const Lines *lines)
{
    Str text = a->format == TEXT_ASS ? whole_script(c, lines)
                                     : plain_script(c, lines, a->format == TEXT_VTT);
    if (text.ptr == NULL)
        return err_set(c->err, ERR_LIMIT_OUTPUT, "more than %d bytes of subtitles", SCRIPT_MAX);
    json_kv_int(c->data, "duration_ms", lines->items[lines->len - 1].end_ms);
    Str name = media_output_name(c->arena, c->inputs[0].name, formats[a->format].extension);
    return step_output_bytes(c, name, str_from_c(formats[a->format].type), text);
}

static ErrCode subtitles_run(StepCtx *c, const void *args)
{
    const SubtitleArgs *a = args;
    Lines lines;
    const StepInput *from = &c->inputs[a->burn && c->inputs_len > 1 ? 1 : 0];
    ErrCode rc = read_lines(c, from, a->stream, &lines);
    if (rc == OK && lines.len == 0)
        rc = err_set(c->err, ERR_NO_TEXT, "there is not one subtitle in it");
    if (rc != OK)
        return rc;
    shift(&lines, a->shift_ms);
    json_kv_int(c->data, "lines", (int64_t)lines.len);
    if (lines.language.len > 0)
        json_kv_str(c->data, "language", lines.language);
    return a->burn ? burn(c, a, &lines) : write_file(c, a, &lines);
}

const Step step_media_subtitles = {
    .name = "media.subtitles",
    .title = "Convert subtitles",
    .summary = "Take subtitles out of a video, convert them, or draw them into its pictures.",
    .since = "0.1",
    .accepts = "video/*,text/vtt,text/x-ssa,text/plain,application/x-subrip,application/"
               "octet-stream",
    .returns = "application/x-subrip,text/vtt,text/x-ssa,video/mp4",
    .inputs_max = 2,
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = (int64_t)4 * 3600 * 1000,
               .cpu_ms = (int64_t)8 * 3600 * 1000,
               .memory_bytes = (int64_t)2 << 30,
               .output_bytes = (int64_t)8 << 30},
    .params = subtitle_params,
    .args_size = sizeof(SubtitleArgs),
    .data = subtitle_fields,
    .errors =
        (const ErrCode[]){ERR_UNSUPPORTED_TYPE, ERR_INPUT_EMPTY, ERR_INPUT_DAMAGED, ERR_NO_TEXT,
                          ERR_LIMIT_COUNT, ERR_LIMIT_OUTPUT, ERR_ENGINE_MISSING, OK},
    .examples = (const Example[]){{.title = "SubRip for a page",
                                   .input = "talk.srt",
                                   .args = "{\"format\": \"vtt\", \"shift_ms\": 250}",
                                   .expect = "text/vtt; lines>=2"},
                                  {0}},
    .run = subtitles_run,
};
