// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Sample.Serve;

/// <summary><c>weft-sample serve</c>: runs the service until it is told to stop.</summary>
internal static class ServeVerb
{
    public static async Task<int> RunAsync(IEnumerable<string> args, TextWriter output, CancellationToken stop)
    {
        var options = ServeOptions.Parse(args, Environment.GetEnvironmentVariable, Environment.MachineName);
        var log = TextWriter.Synchronized(output);
        using var answers = new Answers(options, TimeProvider.System, new Random());
        await using var server = Server.Start(options.Port, answers, options.Log ? log : TextWriter.Null, TimeProvider.System);
        await log.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{options.Name} {options.Version} listens on port {server.Port}\n"));
        await log.FlushAsync(CancellationToken.None);
        await server.RunAsync(stop);
        await log.WriteAsync($"{options.Name} {options.Version} has stopped\n");
        return 0;
    }
}
