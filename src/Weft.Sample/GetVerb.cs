// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Weft.Sample.Http;

namespace Weft.Sample;

/// <summary><c>weft-sample get</c>: asks an address and prints what it said, for pods that have no other client.</summary>
internal static class GetVerb
{
    public static async Task<int> RunAsync(IEnumerable<string> args, TextWriter output, TextWriter errors, CancellationToken ct)
    {
        var flags = Flags.Parse(args, ["-X", "-H", "-d", "--timeout"], ["-i", "--fail"], Environment.GetEnvironmentVariable);
        if (flags.Rest.Count == 0)
        {
            throw new UsageException("Which address? weft-sample get http://reviews/");
        }

        var body = Encoding.UTF8.GetBytes(flags.Text("-d") ?? "");
        var method = flags.Text("-X") ?? (body.Length > 0 ? "POST" : "GET");
        var wait = flags.Duration("--timeout", TimeSpan.FromSeconds(10));
        using var pool = new CallPool(reuse: true);
        var worst = 0;
        foreach (var text in flags.Rest)
        {
            var call = new Call(Call.ParseUrl(text), method, flags.Headers(), body);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(wait);
            try
            {
                var answer = await pool.AskAsync(call, limit.Token);
                await PrintAsync(answer, flags.Has("-i"), output);
                worst = Math.Max(worst, flags.Has("--fail") && answer.Status >= 400 ? 22 : 0);
            }
            catch (Exception failed) when (failed is SocketException or IOException or InvalidDataException or OperationCanceledException)
            {
                var why = failed is OperationCanceledException ? $"no answer within {wait.TotalSeconds:0.###}s" : failed.Message;
                await errors.WriteAsync($"weft-sample: {call.Url}: {why}\n");
                worst = Math.Max(worst, 7);
            }
        }

        return worst;
    }

    private static async Task PrintAsync(Message answer, bool withHead, TextWriter output)
    {
        if (withHead)
        {
            await output.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {answer.Status}\n"));
            foreach (var (name, value) in answer.Headers)
            {
                await output.WriteAsync($"{name}: {value}\n");
            }

            await output.WriteAsync("\n");
        }

        await output.WriteAsync(Encoding.UTF8.GetString(answer.Body));
        await output.FlushAsync(CancellationToken.None);
    }
}
