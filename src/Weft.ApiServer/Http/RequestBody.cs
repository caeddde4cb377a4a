// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Schema;

namespace Weft.ApiServer.Http;

/// <summary>Reads bodies, bounded in size and depth.</summary>
internal static class RequestBody
{
    public static async Task<byte[]> ReadAsync(HttpContext context)
    {
        if (context.Request.ContentLength > ApiLimits.BodyBytes)
        {
            throw ApiException.TooLarge();
        }

        using var buffer = new MemoryStream();
        var chunk = new byte[16 * 1024];
        while (true)
        {
            var count = await context.Request.Body.ReadAsync(chunk, context.RequestAborted);
            if (count == 0)
            {
                return buffer.ToArray();
            }

            if (buffer.Length + count > ApiLimits.BodyBytes)
            {
                throw ApiException.TooLarge();
            }

            await buffer.WriteAsync(chunk.AsMemory(0, count), context.RequestAborted);
        }
    }

    public static JsonNode? Parse(byte[] body, List<string> duplicates)
    {
        if (BinaryObject.IsBinary(body))
        {
            return BinaryObject.Decode(body, SchemaSet.Default);
        }

        try
        {
            return JsonText.ParseUntrusted(body, duplicates);
        }
        catch (JsonException problem)
        {
            throw ApiException.BadRequest(Explain(body, problem));
        }
        catch (InvalidOperationException problem)
        {
            throw ApiException.BadRequest("the body is not valid UTF-8 JSON: " + problem.Message);
        }
    }

    public static JsonObject ParseObject(byte[] body, List<string> duplicates) =>
        Parse(body, duplicates) as JsonObject
        ?? throw ApiException.BadRequest("the body is not a JSON object");

    /// <summary>Reads a JSON object that may be absent, such as the options of a deletion.</summary>
    public static async Task<JsonObject> ReadOptionalAsync(HttpContext context)
    {
        var body = await ReadAsync(context);
        return body.Length == 0 ? [] : ParseObject(body, []);
    }

    private static string Explain(byte[] body, JsonException problem)
    {
        if (problem.Message.Contains("maximum configured depth", StringComparison.OrdinalIgnoreCase))
        {
            return $"the body is nested deeper than {ApiLimits.JsonDepth} levels";
        }

        var text = System.Text.Encoding.UTF8.GetString(body).AsSpan().Trim();
        return text.Length == 0 || text[^1] is not ('}' or ']')
            ? "unexpected end of JSON input"
            : "error decoding JSON: " + problem.Message;
    }
}
