// SPDX-License-Identifier: Apache-2.0

using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.ApiServer.Tests.Transcripts;

/// <summary>A call that was recorded with curl, made over our own client: status, media type and body, not the spelling of JSON.</summary>
internal static class HttpCall
{
    private const string Recorded = "https://SERVER";

    public static async Task<string> RunAsync(string[] arguments, string? user, TestServer server)
    {
        using var request = new HttpRequestMessage(new HttpMethod(After(arguments, "-X") ?? "GET"), arguments[^1][Recorded.Length..]);
        var headers = arguments.Zip(arguments.Skip(1)).Where(pair => pair.First is "-H").Select(pair => pair.Second.Split(": ", 2)).ToList();
        if (After(arguments, "--data-binary") is { } body)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        }

        foreach (var header in headers)
        {
            if (header[0] is "Content-Type")
            {
                request.Content!.Headers.ContentType = MediaTypeHeaderValue.Parse(header[1]);
            }
            else
            {
                request.Headers.TryAddWithoutValidation(header[0], header[1]);
            }
        }

        request.Headers.UserAgent.ParseAdd("curl/8.0");

        // The recorded administrator had a token; here whoever may open the plain socket is one.
        if (user is null && request.Headers.Authorization is { Parameter: "TOKEN" })
        {
            request.Headers.Authorization = null;
            using var answer = await server.SendRawAsync(request);
            return await ShowAsync(answer);
        }

        using var stranger = server.TlsClient(null, out _);
        request.RequestUri = new Uri(new Uri("https://localhost"), request.RequestUri!);
        using var refusal = await stranger.SendAsync(request);
        return await ShowAsync(refusal);
    }

    /// <summary>What curl printed, in the same form.</summary>
    public static string Show(string printed)
    {
        var parts = printed.ReplaceLineEndings("\n").Split("\n\n", 2);
        var head = parts[0].Split('\n');
        var type = head.FirstOrDefault(line => line.StartsWith("Content-Type: ", StringComparison.OrdinalIgnoreCase))?["Content-Type: ".Length..];
        return $"{head[0].Split(' ')[1]} {type}\n{Canonical(parts.Length > 1 ? parts[1] : "")}";
    }

    private static async Task<string> ShowAsync(HttpResponseMessage answer) =>
        $"{(int)answer.StatusCode} {answer.Content.Headers.ContentType}\n{Canonical(await answer.Content.ReadAsStringAsync())}";

    /// <summary>JSON with its fields in order, one object or one a line; anything else as it is.</summary>
    public static string Canonical(string body)
    {
        try
        {
            return body.StartsWith("{\"", StringComparison.Ordinal)
                ? string.Join('\n', body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Sorted(JsonNode.Parse(line))?.ToJsonString(_spelling)))
                : Sorted(JsonNode.Parse(body))?.ToJsonString(_spelling) ?? "";
        }
        catch (JsonException)
        {
            return body;
        }
    }

    private static readonly JsonSerializerOptions _spelling = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject tree => new JsonObject(tree.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, Sorted(pair.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        _ => node?.DeepClone(),
    };

    private static string? After(string[] arguments, string option)
    {
        var at = Array.IndexOf(arguments, option);
        return at < 0 ? null : arguments[at + 1];
    }
}
