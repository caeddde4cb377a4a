// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Local.Agent;

/// <summary>What a container does at this moment, in Kubernetes' words.</summary>
internal abstract record ContainerState
{
    public abstract JsonObject ToJson();

    internal static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    internal sealed record Waiting(string Reason, string Message = "") : ContainerState
    {
        public override JsonObject ToJson()
        {
            var inner = new JsonObject { ["reason"] = Reason };
            if (Message.Length > 0)
            {
                inner["message"] = Message;
            }

            return new JsonObject { ["waiting"] = inner };
        }
    }

    internal sealed record Running(DateTimeOffset Since) : ContainerState
    {
        public override JsonObject ToJson() =>
            new() { ["running"] = new JsonObject { ["startedAt"] = Time(Since) } };
    }

    internal sealed record Terminated(int ExitCode, DateTimeOffset Since, DateTimeOffset At) : ContainerState
    {
        public override JsonObject ToJson() => new()
        {
            ["terminated"] = new JsonObject
            {
                ["exitCode"] = ExitCode,
                ["reason"] = ExitCode == 0 ? "Completed" : "Error",
                ["startedAt"] = Time(Since),
                ["finishedAt"] = Time(At),
            },
        };
    }
}
