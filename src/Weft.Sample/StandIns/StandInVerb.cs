// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Sample.Serve;

namespace Weft.Sample.StandIns;

/// <summary><c>weft-sample stand-in NAME</c>: answers as a well-known image does, as far as its users look.</summary>
internal static class StandInVerb
{
    private static readonly string[] _flags = ["--port", "--version", "--text", "--listen", "--root"];

    public static async Task<int> RunAsync(string[] args, TextWriter output, CancellationToken stop)
    {
        if (args is not [var name, .. var rest])
        {
            throw new UsageException("Which one? 'weft-sample --help' shows the names.");
        }

        var log = TextWriter.Synchronized(output);
        var (port, answers) = Open(name, rest);
        try
        {
            await using var server = Server.Start(port, answers, log, TimeProvider.System);
            await log.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{name} (a stand-in of Weft's) listens on port {server.Port}\n"));
            await log.FlushAsync(CancellationToken.None);
            await server.RunAsync(stop);
            return 0;
        }
        finally
        {
            (answers as IDisposable)?.Dispose();
        }
    }

    internal static (int Port, IAnswering Answers) Open(string name, string[] args)
    {
        if (name == "http-echo")
        {
            // Its flags have one dash and an equals sign.
            args = [.. args.SelectMany(arg => arg.StartsWith('-') ? ("-" + (arg.StartsWith("--", StringComparison.Ordinal) ? arg[1..] : arg)).Split('=', 2) : [arg])];
        }

        // The image's own arguments stand behind these, and mean nothing here but http-echo's.
        var own = 0;
        while (own + 1 < args.Length && _flags.Contains(args[own], StringComparer.Ordinal))
        {
            own += 2;
        }

        if (name == "fortio" && args.Length > own && args[own] != "server")
        {
            throw new UsageException($"The stand-in for fortio is its server; it does not know '{args[own]}'. 'weft-sample load' measures.");
        }

        var flags = Flags.Parse(args[..own], _flags, [], Environment.GetEnvironmentVariable);
        var pod = Environment.MachineName;
        var version = flags.Text("--version") ?? "v1";
        return name switch
        {
            "nginx" => (flags.Number("--port", 80, 0, 65535), new StaticSite(flags.Text("--root") ?? "/usr/share/nginx/html", version)),
            "httpbin" => (flags.Number("--port", 80, 0, 65535), new Httpbin(TimeProvider.System, new Random())),
            "helloworld" => (flags.Number("--port", 5000, 0, 65535), new HelloWorld(Environment.GetEnvironmentVariable("SERVICE_VERSION") ?? version, pod)),
            "http-echo" => (ListenPort(flags.Text("--listen")), new FixedText(flags.Text("--text", "ECHO_TEXT") ?? throw new UsageException("http-echo needs -text=WORDS."))),
            "fortio" => (flags.Number("--port", 8080, 0, 65535), new BodyEcho(TimeProvider.System)),
            "productpage" or "details" or "ratings" or "reviews" => (flags.Number("--port", 9080, 0, 65535), new Bookshop(name, version, pod, Environment.GetEnvironmentVariable)),
            _ => throw new UsageException($"There is no stand-in '{name}'. 'weft-sample --help' shows the names."),
        };
    }

    /// <summary>The number behind the colon of <c>:5678</c> or <c>0.0.0.0:5678</c>.</summary>
    private static int ListenPort(string? listen)
    {
        const int Usual = 5678;
        return listen is null ? Usual
            : int.TryParse(listen.AsSpan(listen.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port < 65536 ? port
            : throw new UsageException($"-listen={listen} names no port. Write -listen=:{Usual}.");
    }
}
