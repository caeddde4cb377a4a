// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.Sample.Http;
using Weft.Sample.Serve;
using Weft.Sample.StandIns;

namespace Weft.Sample.Tests;

public sealed class StandInTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weft-site-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("/", 200, "text/html")]
    [InlineData("/style.css", 200, "text/css")]
    [InlineData("/sub", 301, "text/html")]
    [InlineData("/sub/", 403, "text/html")]
    [InlineData("/none", 404, "text/html")]
    [InlineData("/../../etc/passwd", 400, "text/html")]
    [InlineData("/%2e%2e/%2e%2e/etc/passwd", 400, "text/html")]
    public async Task Nginx_serves_its_folder_and_nothing_above(string path, int status, string type)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "sub"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "index.html"), "<p>mine</p>");
        await File.WriteAllTextAsync(Path.Combine(_folder, "style.css"), "p {}");
        var answer = await AskAsync(new StaticSite(_folder, "1.25-alpine"), path);
        Assert.Equal((status, type), (answer.Status, answer.ContentType));
        Assert.Contains(answer.Headers!, header => header is { Key: "server", Value: "nginx/1.25" });
    }

    [Fact]
    public async Task Nginx_without_files_welcomes_and_knows_what_a_client_has()
    {
        var site = new StaticSite(Path.Combine(_folder, "absent"), "latest");
        Assert.Contains("<title>Welcome to nginx!</title>", Text(await AskAsync(site, "/")), StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(_folder, "a.txt"), "a");
        var files = new StaticSite(_folder, "latest");
        var tag = (await AskAsync(files, "/a.txt")).Headers!.Single(header => header.Key == "etag").Value;
        Assert.Equal(304, (await AskAsync(files, "/a.txt", headers: ("if-none-match", tag))).Status);
        Assert.Equal(405, (await AskAsync(files, "/a.txt", "POST")).Status);
    }

    [Theory]
    [InlineData("GET", "/get?a=1&a=2&b=x%20y", """{"args":{"a":["1","2"],"b":"x y"},"headers":{"Host":"bin"},"origin":"10.1.2.3","url":"http://bin/get?a=1&a=2&b=x%20y"}""")]
    [InlineData("GET", "/headers", """{"headers":{"Host":"bin"}}""")]
    [InlineData("GET", "/ip", """{"origin":"10.1.2.3"}""")]
    [InlineData("PUT", "/anything/x", """{"args":{},"data":"{\"n\":1}","files":{},"form":{},"json":{"n":1},"headers":{"Host":"bin"},"method":"PUT","origin":"10.1.2.3","url":"http://bin/anything/x"}""")]
    public async Task Httpbin_tells_what_was_sent(string method, string path, string expected)
    {
        var answer = await AskAsync(Bin, path, method, method == "PUT" ? """{"n":1}""" : "");
        Assert.Equal(JsonNode.Parse(expected)!.ToJsonString(), JsonNode.Parse(answer.Body)!.ToJsonString());
    }

    [Theory]
    [InlineData("/status/418", 418, 0)]
    [InlineData("/status/700", 400, -1)]
    [InlineData("/bytes/17", 200, 17)]
    [InlineData("/bytes/99999999", 200, Httpbin.MaxBytes)]
    [InlineData("/bytes/-1", 400, -1)]
    [InlineData("/delay/0", 200, -1)]
    [InlineData("/post", 405, -1)]
    [InlineData("/redirect/2", 302, 0)]
    [InlineData("/basic-auth/a/b", 401, 0)]
    [InlineData("/base64/aGVsbG8=", 200, 5)]
    [InlineData("/nothing", 404, -1)]
    public async Task Httpbin_answers_as_it_is_asked_to(string path, int status, int length)
    {
        var answer = await AskAsync(Bin, path);
        Assert.Equal(status, answer.Status);
        Assert.True(length < 0 || length == answer.Body.Length);
    }

    [Fact]
    public async Task What_a_client_sends_begins_no_header()
    {
        var answer = await AskAsync(Bin, "/redirect-to?url=%2Fx%0D%0Aset-cookie:%20a=b");
        Assert.Equal("/x  set-cookie: a=b", answer.Headers!.Single(header => header.Key == "location").Value);
    }

    [Fact]
    public async Task The_bookshop_says_what_its_versions_say_and_goes_on_without_its_parts()
    {
        using var ratings = new Bookshop("ratings", "v1", "ratings-1", _ => null);
        Assert.Equal("""{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}""", JsonNode.Parse((await AskAsync(ratings, "/ratings/0")).Body)!.ToJsonString());
        await using var server = Server.Start(0, ratings, TextWriter.Null, TimeProvider.System);
        var port = $"{server.Port}";
        using var stop = new CancellationTokenSource();
        var running = server.RunAsync(stop.Token);
        string? Place(string name) => name switch { "RATINGS_HOSTNAME" => "127.0.0.1", "RATINGS_SERVICE_PORT" => port, _ => null };
        foreach (var (version, color) in new[] { ("v1", null), ("v2", "black"), ("v3", "red") })
        {
            using var reviews = new Bookshop("reviews", version, "reviews-1", Place);
            var first = JsonNode.Parse((await AskAsync(reviews, "/reviews/0")).Body)!["reviews"]![0]!;
            Assert.Equal(color, first["rating"]?["color"]?.ToString());
        }

        await stop.CancelAsync();
        await running;
        using var alone = new Bookshop("reviews", "v3", "reviews-1", Place);
        Assert.Equal("Ratings service is currently unavailable", JsonNode.Parse((await AskAsync(alone, "/reviews/0")).Body)!["reviews"]![1]!["rating"]!["error"]!.ToString());
        using var page = new Bookshop("productpage", "v1", "p", name => name.EndsWith("HOSTNAME", StringComparison.Ordinal) ? "127.0.0.1" : port);
        var html = Text(await AskAsync(page, "/productpage"));
        Assert.Contains("<title>Simple Bookstore App</title>", html, StringComparison.Ordinal);
        Assert.Contains("product details are currently unavailable", html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http-echo", "hi\n", "-text=hi", "-listen=:0")]
    [InlineData("helloworld", "There is /hello and /health here.\n")]
    [InlineData("fortio", "", "server")]
    public async Task Small_ones_take_the_arguments_of_their_images(string name, string text, params string[] args) =>
        Assert.Equal(text, Text(await AskAsync(StandInVerb.Open(name, args).Answers, "/")));

    [Fact]
    public void An_unknown_one_is_named()
    {
        Assert.Contains("'apache'", Assert.Throws<UsageException>(() => StandInVerb.Open("apache", [])).Message, StringComparison.Ordinal);
        Assert.Contains("'load'", Assert.Throws<UsageException>(() => StandInVerb.Open("fortio", ["load"])).Message, StringComparison.Ordinal);
    }

    private static Httpbin Bin => new(TimeProvider.System, new Random(1));

    private static Task<Answer> AskAsync(IAnswering who, string target, string method = "GET", string body = "", params (string Name, string Value)[] headers) => who.AnswerAsync(
        new Message
        {
            Method = method,
            Target = target,
            Headers = [new("Host", "bin"), .. headers.Select(header => new KeyValuePair<string, string>(header.Name, header.Value))],
            Body = Encoding.UTF8.GetBytes(body),
            KeepAlive = true,
            Peer = "10.1.2.3",
        },
        CancellationToken.None);

    private static string Text(Answer answer) => Encoding.UTF8.GetString(answer.Body);
}
