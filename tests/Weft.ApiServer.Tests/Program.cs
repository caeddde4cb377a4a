// SPDX-License-Identifier: Apache-2.0

using Microsoft.Extensions.Logging.Abstractions;

namespace Weft.ApiServer.Tests;

/// <summary>The process that crash tests kill: an API server alone.</summary>
internal static class Program
{
    public const string Serve = "serve";

    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is not [Serve, var folder, .. var store] || store.Length > 1)
        {
            await Console.Error.WriteLineAsync($"usage: {Serve} FOLDER [STORE]");
            return 2;
        }

        var options = new ApiServerOptions
        {
            PlainSocket = Path.Combine(folder, "run", "api.sock"),
            DataDirectory = Path.Combine(folder, "data"),
            Store = store is [var location] ? Weft.ApiServer.Storage.StoreLocation.Parse(location) : null,
        };
        await using var host = new ApiServerHost(options, AdmissionHooks.None, TimeProvider.System, NullLoggerFactory.Instance);
        await host.RunAsync(CancellationToken.None);
        return 0;
    }
}
