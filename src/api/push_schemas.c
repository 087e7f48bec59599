#include "api/push.h"
#include "api/fields.h"

const Choice push_languages[] = {{"en", "English."}, {"ru", "Russian."}, {"zh", "Chinese."}, {0}};

const Param push_body_params[] = {
    PARAM_TEXT(PushBody, endpoint, .required = true, .max_len = 1000,
               .example = "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA",
               .help = "Address of the browser's push service, from its subscription."),
    PARAM_TEXT(PushBody, p256dh, .required = true, .max_len = 100,
               .help = "Its public key, base64url: keys.p256dh of the subscription."),
    PARAM_TEXT(PushBody, auth, .required = true, .secret = true, .max_len = 40,
               .help = "Its secret, base64url: keys.auth of the subscription."),
    PARAM_TEXT(PushBody, label, .max_len = 100, .example = "Firefox on Linux",
               .help = "What people call the browser."),
    PARAM_CHOICE(PushBody, language, .choices = push_languages, .def = 0,
                 .help = "Language of the messages."),
    PARAM_BOOL(PushBody, mine, .help = "Tell when jobs end that this key has started."),
    PARAM_BOOL(PushBody, failed, .help = "Tell when any job of the project fails."),
    PARAM_BOOL(PushBody, approvals, .help = "Tell when a pipeline waits for somebody's approval."),
    PARAM_END,
};

const Field push_browser_fields[] = {
    TEXT("id", "Id of the browser, psh_…."),
    TEXT("endpoint", "Address of its push service."),
    TEXT("label", "What people call it."),
    {.name = "language",
     .type = FIELD_TYPE_TEXT,
     .choices = push_languages,
     .help = "Language of the messages."},
    BOOL("mine", "It hears when jobs end that this key has started."),
    BOOL("failed", "It hears when any job of the project fails."),
    BOOL("approvals", "It hears when a pipeline waits for somebody's approval."),
    {.name = "created",
     .type = FIELD_TYPE_TEXT,
     .format = "date-time",
     .help = "When it subscribed."},
    {.name = "told",
     .type = FIELD_TYPE_TEXT,
     .format = "date-time",
     .nullable = true,
     .help = "When its push service last took a message."},
    {0},
};

const Field push_fields[] = {
    TEXT("key", "Key to subscribe with (applicationServerKey), base64url."),
    {.name = "browsers",
     .type = FIELD_TYPE_LIST,
     .items = push_browser_fields,
     .help = "Those of the caller's key, newest first."},
    {0},
};
