// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Diagnostics;
using Weft.ApiServer.Storage;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>What was acknowledged is there after kill -9.</summary>
public sealed class CrashTests
{
    private const int Rounds = 4;
    private const int WritesARound = 40;

    [Fact]
    public async Task Every_acknowledged_write_survives_kill_9()
    {
        var folder = Directory.CreateTempSubdirectory("weft-crash-").FullName;
        try
        {
            var acknowledged = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
            var version = 0L;
            for (var round = 0; round < Rounds; round++)
            {
                await WriteUntilKilledAsync(folder, acknowledged, WritesARound + round);
                using var store = new ObjectStore(new SqliteStorage(Path.Combine(folder, "data", "objects.db")));
                Assert.True(store.Version > version, "the version went backwards");
                version = store.Version;
                foreach (var (name, number) in acknowledged)
                {
                    var found = store.Find("configmaps", "default", name);
                    Assert.True(found is not null, $"round {round}: {name} was acknowledged and is gone");
                    Assert.Equal(number, (string)found.Parse()["data"]!["n"]!);
                }
            }

            Assert.True(acknowledged.Count >= Rounds * WritesARound);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task The_server_leaves_the_signals_of_its_process_alone()
    {
        var folder = Directory.CreateTempSubdirectory("weft-crash-").FullName;
        using var child = Start(folder);
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            Assert.NotNull(await child.StandardOutput.ReadLineAsync(limit.Token));
            using var kill = Process.Start("kill", ["-TERM", $"{child.Id}"]);
            _ = child.StandardOutput.ReadToEndAsync(limit.Token);
            var said = await child.StandardError.ReadToEndAsync(limit.Token);
            await child.WaitForExitAsync(limit.Token);
            Assert.True(child.ExitCode == 143, $"it ended with {child.ExitCode}: {said}");
        }
        finally
        {
            child.Kill();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Process Start(string folder)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "exec", typeof(CrashTests).Assembly.Location, Program.CrashWriter, folder })
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private static async Task WriteUntilKilledAsync(string folder, ConcurrentDictionary<string, string> acknowledged, int writes)
    {
        using var child = Start(folder);
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            for (var i = 0; i < writes; i++)
            {
                var line = await child.StandardOutput.ReadLineAsync(limit.Token);
                Assert.True(line is not null, "the writer ended by itself");
                var parts = line.Split('=');
                acknowledged[parts[0]] = parts[1];
            }
        }
        finally
        {
            // Process.Kill sends SIGKILL on Linux.
            child.Kill();
            await child.WaitForExitAsync();
        }

        // What was said before the kill counts as well, however late it is read.
        foreach (var line in (await child.StandardOutput.ReadToEndAsync()).Split('\n'))
        {
            if (line.Split('=') is [var name, var number] && number.Length > 0)
            {
                acknowledged.TryAdd(name, number);
            }
        }
    }
}
