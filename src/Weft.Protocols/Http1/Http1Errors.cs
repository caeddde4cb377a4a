// SPDX-License-Identifier: Apache-2.0

namespace Weft.Protocols.Http1;

/// <summary>What each <see cref="Http1Error"/> means: the status to answer a client with, where the rule stands, and a sentence.</summary>
public static class Http1Errors
{
    /// <summary>The status for a request that is refused; a response that is refused is always answered with 502.</summary>
    public static int Status(this Http1Error error) => error switch
    {
        Http1Error.None => 200,
        Http1Error.MethodNotAllowed => 405,
        Http1Error.TargetTooLong => 414,
        Http1Error.HeadTooLong or Http1Error.TooManyFields => 431,
        Http1Error.TrailersTooLong or Http1Error.TooManyTrailers => 431,
        Http1Error.VersionNotSupported => 505,
        Http1Error.Expectation => 417,
        Http1Error.TransferEncodingInvalid => 501,
        _ => 400,
    };

    /// <summary>The rule, e.g. <c>RFC 9112 5.1</c>.</summary>
    public static string Section(this Http1Error error) => error switch
    {
        Http1Error.LeadingEmptyLines or Http1Error.BareLineFeed or Http1Error.BareCarriageReturn => "RFC 9112 2.2",
        Http1Error.RequestLine => "RFC 9112 3",
        Http1Error.Method or Http1Error.MethodTooLong => "RFC 9110 9.1",
        Http1Error.MethodNotAllowed => "RFC 9110 15.5.6",
        Http1Error.Target or Http1Error.TargetForm => "RFC 9112 3.2",
        Http1Error.TargetTooLong => "RFC 9112 3",
        Http1Error.Version => "RFC 9112 2.3",
        Http1Error.VersionNotSupported => "RFC 9110 15.6.6",
        Http1Error.StatusLine => "RFC 9112 4",
        Http1Error.Folding => "RFC 9112 5.2",
        Http1Error.FieldName => "RFC 9110 5.1",
        Http1Error.FieldWithoutColon => "RFC 9112 5",
        Http1Error.SpaceBeforeColon => "RFC 9112 5.1",
        Http1Error.FieldValue => "RFC 9110 5.5",
        Http1Error.TooManyFields or Http1Error.HeadTooLong => "RFC 6585 5",
        Http1Error.HostMissing or Http1Error.HostRepeated or Http1Error.HostInvalid => "RFC 9112 3.2",
        Http1Error.HostDiffers => "RFC 9112 3.2.2",
        Http1Error.LengthInvalid => "RFC 9110 8.6",
        Http1Error.LengthRepeated => "RFC 9112 6.3",
        Http1Error.Expectation => "RFC 9110 10.1.1",
        Http1Error.ConnectionOption or Http1Error.TooManyConnectionOptions => "RFC 9110 7.6.1",
        Http1Error.UpgradeInvalid => "RFC 9110 7.8",
        Http1Error.AuthorizationRepeated => "RFC 9110 5.3",
        Http1Error.TrailerInvalid => "RFC 9110 6.5.1",
        Http1Error.TrailersTooLong or Http1Error.TooManyTrailers => "RFC 6585 5",
        >= Http1Error.LengthAndTransferEncoding and <= Http1Error.TransferEncodingInHttp10 => "RFC 9112 6.1",
        >= Http1Error.ChunkSize and <= Http1Error.ChunkEnd => "RFC 9112 7.1",
        _ => "",
    };

    /// <summary>A sentence for logs.</summary>
    public static string Describe(this Http1Error error) => error switch
    {
        Http1Error.None => "Nothing is wrong.",
        Http1Error.LeadingEmptyLines => "More empty lines than allowed stand before the message.",
        Http1Error.RequestLine => "The request line is not 'method target version'.",
        Http1Error.Method => "The method is not a token.",
        Http1Error.MethodTooLong => "The method is longer than allowed.",
        Http1Error.MethodNotAllowed => "This listener does not take the method.",
        Http1Error.Target => "The request target has a character that no URI may have.",
        Http1Error.TargetTooLong => "The request target is longer than allowed.",
        Http1Error.TargetForm => "The request target has a form that does not fit the method or the listener.",
        Http1Error.Version => "The version is not of the form HTTP/1.x.",
        Http1Error.VersionNotSupported => "The version is neither HTTP/1.0 nor HTTP/1.1.",
        Http1Error.StatusLine => "The status line is malformed.",
        Http1Error.BareLineFeed => "A line ends without a carriage return.",
        Http1Error.BareCarriageReturn => "A carriage return stands inside a line.",
        Http1Error.Folding => "A header line begins with white space.",
        Http1Error.FieldName => "A header name is empty or no token.",
        Http1Error.FieldWithoutColon => "A header line has no colon.",
        Http1Error.SpaceBeforeColon => "White space stands between a header's name and its colon.",
        Http1Error.FieldValue => "A header value has a control character.",
        Http1Error.TooManyFields => "The message has more header fields than allowed.",
        Http1Error.HeadTooLong => "The message head is longer than allowed.",
        Http1Error.HostMissing => "The request has no Host.",
        Http1Error.HostRepeated => "The request has more than one Host.",
        Http1Error.HostInvalid => "Host is not 'name' or 'name:port'.",
        Http1Error.HostDiffers => "Host and the absolute target name different authorities.",
        Http1Error.LengthInvalid => "Content-Length is not a number that fits.",
        Http1Error.LengthRepeated => "Content-Length stands there more than once.",
        Http1Error.LengthAndTransferEncoding => "Content-Length and Transfer-Encoding stand together.",
        Http1Error.TransferEncodingInvalid => "Transfer-Encoding is something else than 'chunked'.",
        Http1Error.TransferEncodingRepeated => "Transfer-Encoding stands there more than once.",
        Http1Error.TransferEncodingInHttp10 => "Transfer-Encoding stands in an HTTP/1.0 message.",
        Http1Error.Expectation => "Expect is something else than '100-continue'.",
        Http1Error.ConnectionOption => "Connection names something that is no token.",
        Http1Error.TooManyConnectionOptions => "Connection names more than allowed.",
        Http1Error.UpgradeInvalid => "An upgrade names no protocol, or is a WebSocket handshake without a right key and version.",
        Http1Error.AuthorizationRepeated => "The request has more than one Authorization.",
        Http1Error.ChunkSize => "A chunk size is not a hexadecimal number.",
        Http1Error.ChunkSizeTooLarge => "A chunk size does not fit.",
        Http1Error.ChunkLineTooLong => "A chunk's first line is longer than allowed.",
        Http1Error.ChunkExtension => "A chunk extension is malformed.",
        Http1Error.ChunkExtensionsTooLong => "The chunk extensions of one body are longer than allowed.",
        Http1Error.ChunkEnd => "A chunk's bytes are not followed by CR LF.",
        Http1Error.TrailerInvalid => "A trailer line is malformed.",
        Http1Error.TrailersTooLong => "The trailers are longer than allowed.",
        Http1Error.TooManyTrailers => "The body has more trailer fields than allowed.",
        _ => error.ToString(),
    };
}
