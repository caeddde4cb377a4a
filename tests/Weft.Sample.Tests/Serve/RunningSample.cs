// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Sample.Http;
using Weft.Sample.Serve;

namespace Weft.Sample.Tests.Serve;

/// <summary>A sample service on a free port.</summary>
internal sealed class RunningSample : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Answers _answers;
    private readonly Server _server;
    private readonly Task _running;

    public RunningSample(params string[] flags)
    {
        var options = ServeOptions.Parse([.. flags, "--port", "0"], _ => null, "reviews-v2-7d9fcc64b8-x2x9k");
        _answers = new Answers(options, TimeProvider.System, new Random(1));
        _server = Server.Start(0, _answers, TextWriter.Null, TimeProvider.System);
        _running = _server.RunAsync(_stop.Token);
    }

    public Uri Url => new($"http://127.0.0.1:{_server.Port}/");

    public static async Task<JsonObject> JsonAsync(Uri url, params KeyValuePair<string, string>[] headers)
    {
        using var pool = new CallPool(reuse: true);
        var answer = await pool.AskAsync(Call.Get(url, headers), CancellationToken.None);
        return JsonNode.Parse(answer.Body)!.AsObject();
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _server.DisposeAsync();
        _answers.Dispose();
        _stop.Dispose();
    }
}
