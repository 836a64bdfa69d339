// The CommonJS face of the types: the same names, found through `require`.
import factor = require("express-second-factor");
import redis = require("express-second-factor/redis");
import testing = require("express-second-factor/testing");

export const { secondFactor } = factor;
export const { redisStore } = redis;
export const { authenticatorApp } = testing;
