// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Sample.Http;

namespace Weft.Sample.Serve;

/// <summary>A response to send.</summary>
internal readonly record struct Answer(int Status, string ContentType, byte[] Body)
{
    /// <summary>Headers beside type and length.</summary>
    public IReadOnlyList<KeyValuePair<string, string>>? Headers { get; init; }

    public static Answer Text(int status, string text) => new(status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text));
}

/// <summary>Answers requests, one after the other or many at a time.</summary>
internal interface IAnswering
{
    Task<Answer> AnswerAsync(Message request, CancellationToken ct);
}

/// <summary>The words after a status; a client reads only the number.</summary>
internal static class Reasons
{
    public static string Of(int status) => status switch
    {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        418 => "I'm a teapot",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        < 300 => "Success",
        < 400 => "Redirect",
        < 500 => "Client Error",
        _ => "Server Error",
    };
}
