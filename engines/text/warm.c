#include "text/pieces.h"
#include "text/sentences.h"
#include "text/text.h"
#include "text/vocab.h"

ErrCode text_warm(Err *err)
{
    pieces_warm();
    ErrCode rc = vocab_warm(err);
    return rc == OK ? sentences_warm(err) : rc;
}
