"""What is remembered of trading."""

from trading.models.answers import StoredAnswer
from trading.models.backtests import BacktestRun, BacktestTrade
from trading.models.bars import BarReport, BarSeries, QuarantinedRow
from trading.models.broker import BrokerMessage, BrokerSession, CallBudget, Condition, Lease, LiveArming
from trading.models.calendar import CalendarOverride
from trading.models.control import Command, Difference, Halt
from trading.models.deeds import Deed
from trading.models.engine import EngineRun, ExposureBook, LaneState, ShardExposure
from trading.models.fetching import FetchRun, FetchState, StreamBar
from trading.models.instruments import CorporateAction, Instrument, Listing, MasterFile
from trading.models.live import Snapshot
from trading.models.measures import Measure
from trading.models.orders import Fill, Order, OrderEvent, Signal
from trading.models.positions import EquityPoint, Position, Trade
from trading.models.releases import ReleasePointer
from trading.models.sentiment import NewsCall, NewsItem, NewsProvider, SentimentScore, SnapshotFetch
from trading.models.strategies import StrategyConfig
from trading.models.students import ActiveModel, ModelScore
from trading.models.telemetry import PredictionRecord
from trading.models.tokens import ApiToken

__all__ = [
    "ActiveModel",
    "ApiToken",
    "BacktestRun",
    "BacktestTrade",
    "BarReport",
    "BarSeries",
    "BrokerMessage",
    "BrokerSession",
    "CalendarOverride",
    "CallBudget",
    "Command",
    "Condition",
    "CorporateAction",
    "Deed",
    "Difference",
    "EngineRun",
    "EquityPoint",
    "ExposureBook",
    "FetchRun",
    "FetchState",
    "Fill",
    "Halt",
    "Instrument",
    "LaneState",
    "Lease",
    "Listing",
    "LiveArming",
    "MasterFile",
    "Measure",
    "ModelScore",
    "NewsCall",
    "NewsItem",
    "NewsProvider",
    "Order",
    "OrderEvent",
    "Position",
    "PredictionRecord",
    "QuarantinedRow",
    "ReleasePointer",
    "SentimentScore",
    "ShardExposure",
    "Signal",
    "Snapshot",
    "SnapshotFetch",
    "StoredAnswer",
    "StrategyConfig",
    "StreamBar",
    "Trade",
]
