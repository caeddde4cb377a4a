// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Weft.Sample.Http;
using Weft.Sample.Serve;

namespace Weft.Sample.StandIns;

/// <summary>One of the four services of Istio's bookinfo: productpage asks details and reviews, reviews from v2 on ask ratings.</summary>
internal sealed class Bookshop(string part, string version, string pod, Func<string, string?> environment) : IAnswering, IDisposable
{
    private const string Title = "Simple Bookstore App";
    private const string Book = "A Play of Mistaken Twins";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(3);

    /// <summary>What must reach the next service, so that routes by user and traces work.</summary>
    private static readonly string[] _passedOn =
    [
        "x-request-id", "traceparent", "tracestate", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
        "x-ot-span-context", "end-user", "user-agent", "cookie", "authorization",
    ];

    private readonly CallPool _pool = new(reuse: true);

    public void Dispose() => _pool.Dispose();

    public async Task<Answer> AnswerAsync(Message request, CancellationToken ct)
    {
        var words = request.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return (part, words) switch
        {
            (_, ["health"]) => JsonAnswer.Of(200, json => json.WriteString("status", $"{part} is healthy")),
            ("details", ["details", var id]) => Details(id),
            ("ratings", ["ratings", var id]) => JsonAnswer.Of(200, json => WriteRatings(json, id)),
            ("reviews", ["reviews", var id]) => await ReviewsAsync(id, request, ct),
            ("productpage", [] or ["productpage"]) => await PageAsync(request, ct),
            ("productpage", ["api", "v1", "products"]) => new Answer(200, "application/json", Encoding.UTF8.GetBytes($"[{{\"id\": 0, \"title\": \"{Book}\", \"descriptionHtml\": \"Two pairs of twins, one town.\"}}]\n")),
            ("productpage", ["api", "v1", "products", var id]) => await PassAsync("details", $"/details/{id}", request, ct),
            ("productpage", ["api", "v1", "products", var id, "reviews"]) => await PassAsync("reviews", $"/reviews/{id}", request, ct),
            ("productpage", ["api", "v1", "products", var id, "ratings"]) => await PassAsync("ratings", $"/ratings/{id}", request, ct),
            ("productpage", ["login"]) => Login(request),
            ("productpage", ["logout"]) => Redirect("user=; Max-Age=0; Path=/"),
            _ => Answer.Text(404, $"{part} has no {request.Path}.\n"),
        };
    }

    private static Answer Details(string id) => int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? JsonAnswer.Of(200, json =>
        {
            json.WriteNumber("id", number);
            json.WriteString("author", "William Shakespeare");
            json.WriteNumber("year", 1595);
            json.WriteString("type", "paperback");
            json.WriteNumber("pages", 200);
            json.WriteString("publisher", "PublisherA");
            json.WriteString("language", "English");
            json.WriteString("ISBN-10", "1234567890");
            json.WriteString("ISBN-13", "123-1234567890");
        })
        : JsonAnswer.Of(400, json => json.WriteString("error", "please provide numeric product id"));

    private static void WriteRatings(Utf8JsonWriter json, string id)
    {
        json.WriteNumber("id", int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0);
        json.WriteStartObject("ratings");
        json.WriteNumber("Reviewer1", 5);
        json.WriteNumber("Reviewer2", 4);
        json.WriteEndObject();
    }

    private async Task<Answer> ReviewsAsync(string id, Message request, CancellationToken ct)
    {
        var color = version switch { "v1" => null, "v2" => "black", _ => "red" };
        var stars = new Dictionary<string, int>(StringComparer.Ordinal);
        if (color is not null && await AskAsync("ratings", $"/ratings/{id}", request, ct) is { Status: 200 } answer)
        {
            using var parsed = JsonDocument.Parse(answer.Body);
            foreach (var rating in parsed.RootElement.GetProperty("ratings").EnumerateObject())
            {
                stars[rating.Name] = rating.Value.GetInt32();
            }
        }

        return JsonAnswer.Of(200, json =>
        {
            json.WriteString("id", id);
            json.WriteString("podname", pod);
            json.WriteString("clustername", environment("CLUSTER_NAME") ?? "null");
            json.WriteStartArray("reviews");
            WriteReview("Reviewer1", "Every scene turns on who is who, and it never tires.");
            WriteReview("Reviewer2", "Funny in the theatre, and still funny on paper.");
            json.WriteEndArray();

            void WriteReview(string reviewer, string text)
            {
                json.WriteStartObject();
                json.WriteString("reviewer", reviewer);
                json.WriteString("text", text);
                if (color is not null)
                {
                    json.WriteStartObject("rating");
                    if (stars.TryGetValue(reviewer, out var count))
                    {
                        json.WriteNumber("stars", count);
                        json.WriteString("color", color);
                    }
                    else
                    {
                        json.WriteString("error", "Ratings service is currently unavailable");
                    }

                    json.WriteEndObject();
                }

                json.WriteEndObject();
            }
        });
    }

    private async Task<Answer> PageAsync(Message request, CancellationToken ct)
    {
        var details = AskAsync("details", "/details/0", request, ct);
        var reviews = AskAsync("reviews", "/reviews/0", request, ct);
        var html = new StringBuilder($"<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>{Title}</title></head>\n<body>\n<h1>{Book}</h1>\n");
        html.Append(User(request) is { Length: > 0 } user ? $"<p>{WebUtility.HtmlEncode(user)} (<a href=\"/logout\">sign out</a>)</p>\n" : "<form method=\"post\" action=\"/login\"><input name=\"username\"><button>Sign in</button></form>\n");
        html.Append("<h4>Book Details</h4>\n");
        AppendDetails(html, await details);
        html.Append("<h4>Book Reviews</h4>\n");
        AppendReviews(html, await reviews);
        html.Append("</body>\n</html>\n");
        return new Answer(200, "text/html; charset=utf-8", Encoding.UTF8.GetBytes(html.ToString()));
    }

    private static void AppendDetails(StringBuilder html, Message? answer)
    {
        if (answer is not { Status: 200 })
        {
            html.Append("<p>Sorry, product details are currently unavailable for this book.</p>\n");
            return;
        }

        using var parsed = JsonDocument.Parse(answer.Body);
        html.Append("<dl>\n");
        foreach (var field in parsed.RootElement.EnumerateObject().Where(field => field.Name != "id"))
        {
            html.Append($"<dt>{WebUtility.HtmlEncode(field.Name)}:</dt><dd>{WebUtility.HtmlEncode(field.Value.ToString())}</dd>\n");
        }

        html.Append("</dl>\n");
    }

    private static void AppendReviews(StringBuilder html, Message? answer)
    {
        if (answer is not { Status: 200 })
        {
            html.Append("<p>Sorry, product reviews are currently unavailable for this book.</p>\n");
            return;
        }

        using var parsed = JsonDocument.Parse(answer.Body);
        foreach (var review in parsed.RootElement.GetProperty("reviews").EnumerateArray())
        {
            html.Append($"<blockquote><p>{WebUtility.HtmlEncode(review.GetProperty("text").GetString())}</p><small>{WebUtility.HtmlEncode(review.GetProperty("reviewer").GetString())}</small>\n");
            if (review.TryGetProperty("rating", out var rating))
            {
                html.Append(rating.TryGetProperty("stars", out var stars)
                    ? $"<font color=\"{WebUtility.HtmlEncode(rating.GetProperty("color").GetString())}\">{string.Concat(Enumerable.Repeat("<span class=\"glyphicon glyphicon-star\">★</span>", Math.Clamp(stars.GetInt32(), 0, 5)))}</font>\n"
                    : "<p><i>Ratings service is currently unavailable</i></p>\n");
            }

            html.Append("</blockquote>\n");
        }

        html.Append($"<p>Reviews served by: <u>{WebUtility.HtmlEncode(parsed.RootElement.GetProperty("podname").GetString())}</u></p>\n");
    }

    private async Task<Answer> PassAsync(string service, string path, Message request, CancellationToken ct) =>
        await AskAsync(service, path, request, ct) is { } answer
            ? new Answer(answer.Status, answer.Header("content-type") ?? "application/json", answer.Body)
            : JsonAnswer.Of(503, json => json.WriteString("error", $"Sorry, product {service} are currently unavailable for this book."));

    /// <summary>Null if it does not answer in time.</summary>
    private async Task<Message?> AskAsync(string service, string path, Message request, CancellationToken ct)
    {
        var upper = service.ToUpperInvariant();
        var domain = environment("SERVICES_DOMAIN") is { Length: > 0 } named ? "." + named : "";
        var url = Call.ParseUrl($"http://{environment($"{upper}_HOSTNAME") ?? service}{domain}:{environment($"{upper}_SERVICE_PORT") ?? "9080"}{path}");
        var headers = new List<KeyValuePair<string, string>> { new("accept", "application/json") };
        headers.AddRange(_passedOn.Where(name => request.Header(name) is not null).Select(name => new KeyValuePair<string, string>(name, request.Header(name)!)));
        if (part == "productpage" && User(request) is { Length: > 0 } user && request.Header("end-user") is null)
        {
            headers.Add(new("end-user", user));
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(_patience);
        try
        {
            return await _pool.AskAsync(Call.Get(url, headers), limit.Token);
        }
        catch (Exception failed) when (failed is SocketException or IOException or InvalidDataException or OperationCanceledException)
        {
            ct.ThrowIfCancellationRequested();
            return null;
        }
    }

    /// <summary>Whoever signed in: no password is asked, it is a demonstration.</summary>
    private static string User(Message request) =>
        Message.Pairs((request.Header("cookie") ?? "").Replace("; ", "&", StringComparison.Ordinal)).FirstOrDefault(cookie => cookie.Key == "user").Value ?? "";

    private static Answer Login(Message request)
    {
        var user = Message.Pairs(Encoding.UTF8.GetString(request.Body)).FirstOrDefault(field => field.Key == "username").Value ?? "";
        return Redirect($"user={Uri.EscapeDataString(user)}; Path=/");
    }

    private static Answer Redirect(string cookie) =>
        new(302, "text/plain; charset=utf-8", []) { Headers = [new("location", "/productpage"), new("set-cookie", cookie)] };
}
