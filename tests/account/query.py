"""Answers in AWS's oldest protocol, where a call is a form and its answer XML."""

from xml.sax.saxutils import escape

from tests.account.wire import Response

_XML = [("Content-Type", "text/xml")]


def answer(action: str, result: str) -> Response:
    """Return a result, which is XML."""
    inner = f"<{action}Result>{result}</{action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
    xml = f'<{action}Response xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">{inner}</{action}Response>'
    return Response(status=200, headers=_XML, body=xml.encode())


def error(code: str, text: str, *, status: int = 400) -> Response:
    """Return an error."""
    fault = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(text)}</Message></Error>"
    body = f"<ErrorResponse>{fault}<RequestId>1</RequestId></ErrorResponse>"
    return Response(status=status, headers=_XML, body=body.encode())


def ec2_error(code: str, text: str, *, status: int = 400) -> Response:
    """Return an error as EC2 writes it."""
    fault = f"<Errors><Error><Code>{code}</Code><Message>{escape(text)}</Message></Error></Errors>"
    return Response(status=status, headers=_XML, body=f"<Response>{fault}<RequestID>1</RequestID></Response>".encode())


def s3_error(code: str, text: str, *, status: int = 400) -> Response:
    """Return an error as S3 writes it."""
    body = f"<Error><Code>{code}</Code><Message>{escape(text)}</Message></Error>"
    return Response(status=status, headers=_XML, body=body.encode())
