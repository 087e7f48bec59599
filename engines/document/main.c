/* main.c: platen-engine-document, the text of documents. */
#include "document/charset.h"
#include "document/document.h"
#include "document/ooxml_crypt.h"

static ErrCode warm(Err *err)
{
    ErrCode rc = charset_warm(err);
    if (rc == OK)
        rc = pdf_warm(err);
    if (rc == OK)
        rc = convert_warm(err);
    if (rc == OK)
        rc = ooxml_crypt_warm(err);
    return rc == OK ? eml_warm(err) : rc;
}

static const Step *const steps[] = {&step_document_extract, &step_document_convert,
                                    &step_document_combine, &step_file_detect, NULL};

int main(int argc, char **argv)
{
    return kit_main(argc, argv,
                    &(KitEngine){.name = "document", .version = "1", .steps = steps, .warm = warm});
}
