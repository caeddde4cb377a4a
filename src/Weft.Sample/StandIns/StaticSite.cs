// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Sample.Http;
using Weft.Sample.Serve;

namespace Weft.Sample.StandIns;

/// <summary>nginx without configuration: the files of a folder, its error pages and its headers.</summary>
internal sealed class StaticSite(string root, string version) : IAnswering
{
    /// <summary>Longer files are refused: the whole answer is held in memory.</summary>
    public const long MaxFileBytes = 64 * 1024 * 1024;

    private const string FrontPage = """
        <!DOCTYPE html>
        <html>
        <head><title>Welcome to nginx!</title></head>
        <body>
        <h1>Welcome to nginx!</h1>
        <p>This is Weft's stand-in for the image. Files under /usr/share/nginx/html take the place of this page.</p>
        </body>
        </html>

        """;

    private static readonly Dictionary<string, string> _types = new(StringComparer.OrdinalIgnoreCase)
    {
        [".html"] = "text/html",
        [".htm"] = "text/html",
        [".css"] = "text/css",
        [".js"] = "application/javascript",
        [".json"] = "application/json",
        [".txt"] = "text/plain",
        [".xml"] = "text/xml",
        [".svg"] = "image/svg+xml",
        [".png"] = "image/png",
        [".jpg"] = "image/jpeg",
        [".jpeg"] = "image/jpeg",
        [".gif"] = "image/gif",
        [".ico"] = "image/x-icon",
        [".webp"] = "image/webp",
        [".pdf"] = "application/pdf",
        [".wasm"] = "application/wasm",
        [".woff2"] = "font/woff2",
    };

    private readonly string _server = $"nginx/{(version.Length > 0 && char.IsAsciiDigit(version[0]) ? version.Split('-')[0] : "1.27")}";
    private readonly string _root = Path.GetFullPath(root);

    public Task<Answer> AnswerAsync(Message request, CancellationToken ct) => Task.FromResult(Answer(request));

    private Answer Answer(Message request)
    {
        if (request.Method is not ("GET" or "HEAD"))
        {
            return Error(405, "Not Allowed");
        }

        string file;
        try
        {
            file = Path.GetFullPath(Path.Combine(_root, Uri.UnescapeDataString(request.Path).TrimStart('/')));
        }
        catch (ArgumentException)
        {
            return Error(400, "Bad Request");
        }

        // What leads out of the folder, by dots or by a link, is not there.
        if (file != _root && !file.StartsWith(_root.TrimEnd('/') + "/", StringComparison.Ordinal))
        {
            return Error(400, "Bad Request");
        }

        if (Directory.Exists(file))
        {
            if (!request.Path.EndsWith('/'))
            {
                return Error(301, "Moved Permanently", new KeyValuePair<string, string>("location", $"http://{request.Header("host")}{request.Path}/"));
            }

            file = Path.Combine(file, "index.html");
            if (!File.Exists(file))
            {
                return request.Path == "/" && !Directory.EnumerateFileSystemEntries(_root).Any() ? Page(FrontPage) : Error(403, "Forbidden");
            }
        }

        return File.Exists(file) ? FileAnswer(request, file) : request.Path is "/" or "/index.html" && !Directory.Exists(_root) ? Page(FrontPage) : Error(404, "Not Found");
    }

    private Answer FileAnswer(Message request, string file)
    {
        var info = new FileInfo(file);
        if (info.Length > MaxFileBytes)
        {
            return Error(500, "Internal Server Error");
        }

        var tag = string.Create(CultureInfo.InvariantCulture, $"\"{new DateTimeOffset(info.LastWriteTimeUtc).ToUnixTimeSeconds():x}-{info.Length:x}\"");
        KeyValuePair<string, string>[] headers =
        [
            new("server", _server),
            new("last-modified", info.LastWriteTimeUtc.ToString("r", CultureInfo.InvariantCulture)),
            new("etag", tag),
            new("accept-ranges", "bytes"),
        ];
        var type = _types.GetValueOrDefault(info.Extension, "application/octet-stream");
        return request.Header("if-none-match") == tag
            ? new Answer(304, type, []) { Headers = headers }
            : new Answer(200, type, File.ReadAllBytes(file)) { Headers = headers };
    }

    private Answer Page(string html) => new(200, "text/html", Encoding.UTF8.GetBytes(html)) { Headers = [new("server", _server)] };

    private Answer Error(int status, string words, params KeyValuePair<string, string>[] headers) => new(
        status,
        "text/html",
        Encoding.UTF8.GetBytes($"<html>\r\n<head><title>{status} {words}</title></head>\r\n<body>\r\n<center><h1>{status} {words}</h1></center>\r\n<hr><center>{_server}</center>\r\n</body>\r\n</html>\r\n"))
    {
        Headers = [new("server", _server), .. headers],
    };
}
