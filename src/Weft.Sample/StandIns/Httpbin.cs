// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using System.Text.Json;
using Weft.Sample.Http;
using Weft.Sample.Serve;

namespace Weft.Sample.StandIns;

/// <summary>httpbin: tells a client what it sent, and answers as it is asked to.</summary>
internal sealed class Httpbin(TimeProvider clock, Random random) : IAnswering
{
    public const int MaxBytes = 100 * 1024;
    public const int MaxLines = 100;

    private static readonly TimeSpan _longestDelay = TimeSpan.FromSeconds(10);

    private readonly Lock _turn = new();

    public async Task<Answer> AnswerAsync(Message request, CancellationToken ct)
    {
        var words = request.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        switch (words)
        {
            case []:
                return new Answer(200, "text/html; charset=utf-8", "<!DOCTYPE html>\n<title>httpbin</title>\n<p>Weft's stand-in for httpbin: /get /post /headers /ip /status/503 /delay/1 /anything and more.</p>\n"u8.ToArray());
            case ["get" or "post" or "put" or "patch" or "delete" or "anything", ..]:
                return Wanted(words[0], request.Method) ? Told(request, anything: words[0] == "anything") : Answer.Text(405, "Method Not Allowed\n");
            case ["delay", var seconds]:
                return await DelayAsync(seconds, request, ct);
            case ["status", var codes]:
                return Status(codes);
            default:
                return Small(words, request);
        }
    }

    private static bool Wanted(string word, string method) => word switch
    {
        "anything" => true,
        "get" => method is "GET" or "HEAD",
        _ => string.Equals(word, method, StringComparison.OrdinalIgnoreCase),
    };

    private Answer Small(string[] words, Message request) => words switch
    {
        ["headers"] => JsonAnswer.Of(200, json => json.Map("headers", request.Headers)),
        ["ip"] => JsonAnswer.Of(200, json => json.WriteString("origin", Origin(request))),
        ["user-agent"] => JsonAnswer.Of(200, json => json.WriteString("user-agent", request.Header("user-agent"))),
        ["hostname"] => JsonAnswer.Of(200, json => json.WriteString("hostname", Environment.MachineName)),
        ["uuid"] => JsonAnswer.Of(200, json => json.WriteString("uuid", Guid.NewGuid().ToString())),
        ["cookies"] => JsonAnswer.Of(200, json => json.Map("cookies", Cookies(request))),
        ["cookies", "set"] => Redirect("/cookies", [.. request.Query.Select(cookie => new KeyValuePair<string, string>("set-cookie", $"{Line(cookie.Key)}={Line(cookie.Value)}; Path=/"))]),
        ["response-headers"] => JsonAnswer.Of(200, json => json.Map("headers", request.Query)) with { Headers = [.. request.Query.Select(each => new KeyValuePair<string, string>(Line(each.Key), Line(each.Value)))] },
        ["bytes", var count] => Number(count, MaxBytes) is { } length ? new Answer(200, "application/octet-stream", Noise(length)) : Wrong(count),
        ["stream", var count] => Number(count, MaxLines) is { } lines ? Lines(lines, request) : Wrong(count),
        ["redirect" or "relative-redirect" or "absolute-redirect", var count] => Number(count, MaxLines) is { } left and > 0 ? Redirect(left == 1 ? "/get" : $"/redirect/{left - 1}", []) : Wrong(count),
        ["redirect-to"] => request.Query.FirstOrDefault(each => each.Key == "url").Value is { } url ? Redirect(Line(url), []) : Answer.Text(400, "Which url?\n"),
        ["basic-auth", var user, var password] => Basic(request, user, password),
        ["bearer"] => Bearer(request),
        ["base64", var text] => Decoded(text),
        ["json"] => JsonAnswer.Of(200, json => json.WriteString("title", "A small document")),
        ["html"] => new Answer(200, "text/html; charset=utf-8", "<!DOCTYPE html>\n<html><body><h1>A small page</h1></body></html>\n"u8.ToArray()),
        ["xml"] => new Answer(200, "application/xml", "<?xml version=\"1.0\"?>\n<document>small</document>\n"u8.ToArray()),
        ["robots.txt"] => Answer.Text(200, "User-agent: *\nDisallow: /deny\n"),
        _ => Answer.Text(404, $"There is no {request.Path} here.\n"),
    };

    private static Answer Told(Message request, bool anything) => JsonAnswer.Of(200, json =>
    {
        json.Map("args", request.Query);
        if (anything || request.Method is not ("GET" or "HEAD"))
        {
            WriteBody(json, request);
        }

        json.Map("headers", request.Headers);
        if (anything)
        {
            json.WriteString("method", request.Method);
        }

        json.WriteString("origin", Origin(request));
        json.WriteString("url", $"http://{request.Header("host")}{request.Target}");
    });

    private static void WriteBody(Utf8JsonWriter json, Message request)
    {
        var isForm = request.Header("content-type")?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true;
        var text = Encoding.UTF8.GetString(request.Body);
        json.WriteString("data", isForm ? "" : text);
        json.WriteStartObject("files");
        json.WriteEndObject();
        json.Map("form", isForm ? Message.Pairs(text) : []);
        json.WritePropertyName("json");
        try
        {
            using var parsed = JsonDocument.Parse(isForm || text.Length == 0 ? "null" : text);
            parsed.RootElement.WriteTo(json);
        }
        catch (JsonException)
        {
            json.WriteNullValue();
        }
    }

    private async Task<Answer> DelayAsync(string text, Message request, CancellationToken ct)
    {
        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
        {
            return Wrong(text);
        }

        await Task.Delay(seconds < _longestDelay.TotalSeconds ? TimeSpan.FromSeconds(seconds) : _longestDelay, clock, ct);
        return Told(request, anything: false);
    }

    /// <summary>One status, or several with commas between them and perhaps weights behind colons, of which one is drawn.</summary>
    private Answer Status(string codes)
    {
        var choices = new List<(int Status, double Weight)>();
        foreach (var choice in codes.Split(','))
        {
            var parts = choice.Split(':');
            var weight = 1.0;
            if (!int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var status) || status is < 200 or > 599
                || (parts.Length > 1 && !double.TryParse(parts[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out weight)))
            {
                return Answer.Text(400, "Invalid status code\n");
            }

            choices.Add((status, weight));
        }

        double drawn;
        lock (_turn)
        {
            drawn = random.NextDouble() * choices.Sum(choice => choice.Weight);
        }

        var chosen = choices[^1].Status;
        foreach (var (status, weight) in choices)
        {
            drawn -= weight;
            if (drawn < 0)
            {
                chosen = status;
                break;
            }
        }

        return chosen is 301 or 302 or 303 or 307 or 308
            ? new Answer(chosen, "text/plain; charset=utf-8", []) { Headers = [new("location", "/redirect/1")] }
            : new Answer(chosen, "text/plain; charset=utf-8", []);
    }

    private byte[] Noise(int length)
    {
        var bytes = new byte[length];
        lock (_turn)
        {
            random.NextBytes(bytes);
        }

        return bytes;
    }

    private static Answer Lines(int count, Message request)
    {
        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{{\"id\": {i}, \"url\": \"http://{JsonEncodedText.Encode(request.Header("host") ?? "")}{JsonEncodedText.Encode(request.Target)}\"}}\n");
        }

        return new Answer(200, "application/json", Encoding.UTF8.GetBytes(text.ToString()));
    }

    private static Answer Basic(Message request, string user, string password) =>
        request.Header("authorization") == "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.UnescapeDataString(user)}:{Uri.UnescapeDataString(password)}"))
            ? JsonAnswer.Of(200, json =>
            {
                json.WriteBoolean("authenticated", true);
                json.WriteString("user", user);
            })
            : new Answer(401, "text/plain; charset=utf-8", []) { Headers = [new("www-authenticate", "Basic realm=\"Fake Realm\"")] };

    private static Answer Bearer(Message request) => request.Header("authorization") is { } value && value.StartsWith("Bearer ", StringComparison.Ordinal)
        ? JsonAnswer.Of(200, json =>
        {
            json.WriteBoolean("authenticated", true);
            json.WriteString("token", value[7..]);
        })
        : new Answer(401, "text/plain; charset=utf-8", []) { Headers = [new("www-authenticate", "Bearer")] };

    private static Answer Decoded(string text)
    {
        try
        {
            return new Answer(200, "text/html; charset=utf-8", Convert.FromBase64String(text.Replace('-', '+').Replace('_', '/')));
        }
        catch (FormatException)
        {
            return Answer.Text(400, "That is not base64.\n");
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> Cookies(Message request) =>
        Message.Pairs((request.Header("cookie") ?? "").Replace("; ", "&", StringComparison.Ordinal));

    private static string Origin(Message request) => request.Header("x-forwarded-for") ?? request.Peer;

    private static Answer Redirect(string place, KeyValuePair<string, string>[] headers) =>
        new(302, "text/html; charset=utf-8", []) { Headers = [new("location", place), .. headers] };

    private static int? Number(string text, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? Math.Min(number, most) : null;

    private static Answer Wrong(string text) => Answer.Text(400, $"'{text}' is no number.\n");

    /// <summary>What a client sends may not begin a header of its own.</summary>
    private static string Line(string text) => text.Replace('\r', ' ').Replace('\n', ' ');
}
