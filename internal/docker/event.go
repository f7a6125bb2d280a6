package docker

import "time"

// Action is what happened to a container.
type Action string

// The actions that are watched.
const (
	ActionCreate  Action = "create"
	ActionStart   Action = "start"
	ActionDie     Action = "die"
	ActionOOM     Action = "oom"
	ActionHealth  Action = "health_status"
	ActionRename  Action = "rename"
	ActionPause   Action = "pause"
	ActionUnpause Action = "unpause"
	ActionRestart Action = "restart"
	ActionKill    Action = "kill"
	ActionStop    Action = "stop"
	ActionDestroy Action = "destroy"
	ActionUpdate  Action = "update"
	// ActionLost is ours: the subscriber was too slow and missed Event.Lost
	// events. It should read [Watcher.List] again.
	ActionLost Action = "lost"
)

// Event is something that happened to a container.
type Event struct {
	// Time is the engine's. For a synthetic event it is the best that is known.
	Time   time.Time
	Action Action
	// Container is how it is after the event. It is nil for ActionLost only.
	Container *Container
	// ExitCode is for ActionDie. It is nil when it is not known.
	ExitCode *int
	// Signal is for ActionKill, a number or a name as the engine says it.
	Signal string
	// Health is for ActionHealth.
	Health Health
	// OldName is for ActionRename.
	OldName string
	// Synthetic events were missed, and are concluded from a difference between two lists.
	Synthetic bool
	// Lost is for ActionLost.
	Lost uint64
}
