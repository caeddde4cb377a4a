// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Kubernetes;

namespace Weft.ApiServer.Tests;

/// <summary>The process that the crash test kills: an API server that writes to itself and says what was acknowledged.</summary>
internal static class Program
{
    public const string CrashWriter = "crash-writer";

    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is not [CrashWriter, var folder])
        {
            await Console.Error.WriteLineAsync($"usage: {CrashWriter} FOLDER");
            return 2;
        }

        var options = new ApiServerOptions
        {
            PlainSocket = Path.Combine(folder, "api.sock"),
            DataDirectory = Path.Combine(folder, "data"),
        };
        await using var host = new ApiServerHost(options, AdmissionHooks.None, TimeProvider.System, NullLoggerFactory.Instance);
        await host.StartAsync(CancellationToken.None);
        using var client = new KubernetesClient("unix:" + options.PlainSocket);
        for (var i = 0; ; i++)
        {
            var written = await client.CreateAsync(
                Kinds.ConfigMap,
                "default",
                new JsonObject
                {
                    ["apiVersion"] = "v1",
                    ["kind"] = "ConfigMap",
                    ["metadata"] = new JsonObject { ["generateName"] = "c-" },
                    ["data"] = new JsonObject { ["n"] = $"{i}" },
                },
                CancellationToken.None);
            await Console.Out.WriteLineAsync((string)written["metadata"]!["name"]! + "=" + i);
            await Console.Out.FlushAsync();
        }
    }
}
