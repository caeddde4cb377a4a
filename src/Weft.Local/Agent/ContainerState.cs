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

    /// <param name="Message">What it left in its termination message, or why it could not be started.</param>
    internal sealed record Terminated(int ExitCode, string Reason, string Message, DateTimeOffset Since, DateTimeOffset At) : ContainerState
    {
        /// <summary>Which run it was, as in <c>containerID</c>; empty for one that never ran.</summary>
        public string Id { get; init; } = "";

        public override JsonObject ToJson()
        {
            var inner = new JsonObject
            {
                ["exitCode"] = ExitCode,
                ["reason"] = Reason,
                ["startedAt"] = Time(Since),
                ["finishedAt"] = Time(At),
            };
            if (Message.Length > 0)
            {
                inner["message"] = Message;
            }

            if (Id.Length > 0)
            {
                inner["containerID"] = Id;
            }

            return new JsonObject { ["terminated"] = inner };
        }
    }
}
